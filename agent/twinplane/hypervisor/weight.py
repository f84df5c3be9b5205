"""The weight of the group that holds all guests, raised while one of ours is there.

To the scheduler that group is one sibling among the host's own tasks and weighs as much as each of them, so
that two busy processes would take half of what guests are guaranteed. It may have been there before us: its
old weight is noted before the first change and given back with the last guest.
Sources: kernel documents scheduler/sched-design-CFS (cpu.shares) and admin-guide/cgroup-v2 (cpu.weight).
"""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from twinplane.errors import DriverError
from twinplane.hypervisor import process
from twinplane.hypervisor.cgroup import MACHINE, Hierarchy, hierarchies
from twinplane.hypervisor.domain import DomainEvent, Reconnected
from twinplane.share.cpu import CORE_SHARES, MOST_WEIGHT

LOG = logging.getLogger(__name__)
NOTE = "weight.json"
PLAIN_WEIGHT = 100  # cpu.weight of a group that nobody has set


class Taken(NamedTuple):
    """A weight that was changed: what it was and what it was set to."""

    old: int
    ours: int


class MachineWeight:
    """`shares` is what the group is to weigh, counted as cpu.shares (1024 for a task). `guests` gives our
    guests by name with their process ids, `cgroups` the text of /proc/<pid>/cgroup."""

    def __init__(
        self,
        root: Path,
        shares: int,
        found: tuple[Hierarchy, ...] | None = None,
        *,
        guests: Callable[[], Mapping[str, int]] | None = None,
        cgroups: Callable[[int], str] = lambda pid: Path(f"/proc/{pid}/cgroup").read_text(),
    ) -> None:
        self._note = root / NOTE
        self._shares = shares
        self._hierarchies = hierarchies() if found is None else found
        self._guests = guests or partial(process.guests, root)
        self._cgroups = cgroups
        self._lock = threading.Lock()

    def settle(self) -> None:
        """Raise the weight where a guest of ours is there, give it back where none is. Writes nothing where
        nothing differs. Raises `DriverError`."""
        with self._lock:
            try:
                guests = self._guests()
                if guests:
                    self._raise(self._groups(guests.values()))
                else:
                    self._give_back()
            except OSError as error:
                raise DriverError(f"the CPU weight of all guests cannot be set: {error}") from error

    def follow(self, _: DomainEvent | Reconnected) -> None:
        """Settle, in a thread, when a guest has come or gone by itself; for `Connection.listen`."""
        asyncio.get_running_loop().run_in_executor(None, self._settle_or_warn)

    def _settle_or_warn(self) -> None:
        try:
            self.settle()
        except DriverError as error:
            LOG.warning("%s", error)

    def _groups(self, guests: Iterable[int]) -> str:
        """The groups of a guest that lives; nothing where all are just ending, which an event will say."""
        for guest in guests:
            with suppress(FileNotFoundError, ProcessLookupError):
                return self._cgroups(guest)
        return ""

    def _raise(self, groups: str) -> None:
        noted = self._noted()
        for file in self._files(groups):
            wanted = self._shares if file.name == "cpu.shares" else _weight(self._shares)
            there = int(file.read_text())
            if there == wanted:
                continue
            old = noted[str(file)].old if str(file) in noted else there
            noted[str(file)] = Taken(old, wanted)
            self._write_note(noted)
            file.write_text(str(wanted))

    def _give_back(self) -> None:
        noted = self._noted()
        if not noted:
            return
        for name, taken in noted.items():
            file = Path(name)
            # The group has gone with its last guest, or somebody else has set it since: nothing to give back.
            with suppress(FileNotFoundError):
                if int(file.read_text()) == taken.ours:
                    file.write_text(str(taken.old))
        self._note.unlink()

    def _files(self, groups: str) -> Iterator[Path]:
        """The weight file of the outermost group that holds guests only, in each hierarchy that has one."""
        for line in groups.splitlines():
            _, controllers, path = line.split(":", 2)
            parts = Path(path).parts[1:]
            depth = next((place for place, part in enumerate(parts) if part.startswith(MACHINE)), None)
            if depth is None:
                continue
            for hierarchy in self._hierarchies:
                unified = not hierarchy.controllers and controllers == ""
                if unified or ("cpu" in hierarchy.controllers and "cpu" in controllers.split(",")):
                    folder = hierarchy.mount.joinpath(*parts[: depth + 1])
                    file = folder / ("cpu.weight" if unified else "cpu.shares")
                    if file.exists():
                        yield file

    def _noted(self) -> dict[str, Taken]:
        try:
            return {name: Taken(*taken) for name, taken in json.loads(self._note.read_text()).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            LOG.warning("%s is damaged: the old weight of guests is not known any more", self._note)
            return {}

    def _write_note(self, noted: Mapping[str, Taken]) -> None:
        temporary = self._note.with_suffix(".new")
        with temporary.open("w") as stream:
            json.dump(noted, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(self._note)


def _weight(shares: int) -> int:
    return min(max(shares * PLAIN_WEIGHT // CORE_SHARES, 1), MOST_WEIGHT)
