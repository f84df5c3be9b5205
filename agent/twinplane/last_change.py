"""When things became what they are, remembered over restarts of the agent.

Kept in a file that is written a moment after a change, the rarer the longer that takes, so that a storm of
changes costs next to nothing. It need not outlive the host: with another boot everything has changed. What
changed while nobody looked has the time at which that was noticed.
"""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

from twinplane.tree.node import Leaf
from twinplane_wire.path import Path as ModelPath

log = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PAUSE = 0.5  # seconds after a change, for others to come
SHARE = 50  # a write may take one part in so many of the time
PATIENCE = 60.0  # seconds after a start until what was not seen again is forgotten

# The value, what it is recognised by (None: unknown), and the time in ns since the epoch.
Record = tuple[Leaf, tuple[Leaf | None, ...], int]


class LastChanges:
    """What `state.operational` asks and tells (state/section.py: Stamp). `serve` writes; one task runs it."""

    def __init__(self, file: Path, boot: str, *, pause: float = PAUSE, patience: float = PATIENCE) -> None:
        self._file = file
        self._boot = boot
        self._pause = pause
        self._patience = patience
        self._earlier = _read(file, boot)
        self._records: dict[ModelPath, Record] = {}
        self._changed = asyncio.Event()

    def since(self, place: ModelPath, value: Leaf, witness: tuple[Leaf | None, ...]) -> int | None:
        """When the container at `place` took this value, if an earlier process knew it and what it is
        recognised by is the same still."""
        found = self._earlier.get(str(place))
        if found is None or found[0] != value or len(found[1]) != len(witness):
            return None
        same = all(None in pair or pair[0] == pair[1] for pair in zip(found[1], witness, strict=True))
        return found[2] if same else None

    def note(self, place: ModelPath, value: Leaf, witness: tuple[Leaf | None, ...], since: int) -> None:
        """The container at `place` has this value since then."""
        record = (value, witness, since)
        if self._records.get(place) != record:
            self._records[place] = record
            self._changed.set()

    def forget(self, place: ModelPath) -> None:
        """It has none any more."""
        earlier = self._earlier.pop(str(place), None)
        if (self._records.pop(place, None) or earlier) is not None:
            self._changed.set()

    async def serve(self) -> None:
        """Write what changes until cancelled, and then once more."""
        asyncio.get_running_loop().call_later(self._patience, self._earlier.clear)
        pause = self._pause
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(pause)
                self._changed.clear()
                begin = time.monotonic()
                await asyncio.to_thread(self._write, self._known())
                pause = max(self._pause, SHARE * (time.monotonic() - begin))
        finally:
            if self._changed.is_set():
                self._write(self._known())

    def _known(self) -> dict[str, Record]:
        """What is noted, and what an earlier process left of what may yet be seen again."""
        return {**self._earlier, **{str(place): record for place, record in self._records.items()}}

    def _write(self, kept: dict[str, Record]) -> None:
        try:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps({"boot": self._boot, "records": kept}))
            new.replace(self._file)
        except OSError as error:
            log.warning("when things changed cannot be kept: %s", error)


def boot_id() -> str:
    """What tells this boot of the host from any other (random(4)); empty where the kernel does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _read(file: Path, boot: str) -> dict[str, Record]:
    """What an earlier process of this boot left; a file that cannot be understood says nothing."""
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        if not boot or found["boot"] != boot:
            return {}
        return {
            place: (value, tuple(witness), int(since))
            for place, (value, witness, since) in found["records"].items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("%s cannot be read, everything has changed just now: %s", file, error)
        return {}
