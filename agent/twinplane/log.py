"""Logging: one line per event on standard error, with what is being worked on as context."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("twinplane_log_context", default=())


@contextmanager
def context(**items: str) -> Iterator[None]:
    """Add fields (transaction, user, path, …) to every line logged inside."""
    token = _context.set((*_context.get(), *items.items()))
    try:
        yield
    finally:
        _context.reset(token)


class _Fields(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.fields = "".join(f" {name}={value}" for name, value in _context.get())
        return True


def configure(level: str) -> None:
    """Log to standard error from `level` up."""
    stream = logging.StreamHandler(sys.stderr)
    stream.addFilter(_Fields())
    stream.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s%(fields)s", "%H:%M:%S")
    )
    root = logging.getLogger("twinplane")
    root.handlers[:] = [stream]
    root.setLevel(level)
    root.propagate = False
