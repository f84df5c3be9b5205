"""Waking whoever follows the events of the box: something was stored."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Rings for all who hear it. On the event loop."""

    def __init__(self) -> None:
        self._heard: set[asyncio.Event] = set()

    @contextmanager
    def hearing(self) -> Iterator[asyncio.Event]:
        """An event that is set by each ring; whoever waits for it clears it before he looks."""
        event = asyncio.Event()
        self._heard.add(event)
        try:
            yield event
        finally:
            self._heard.discard(event)

    def ring(self) -> None:
        """Something was stored."""
        for event in self._heard:
            event.set()
