"""The cgroups of guests: CPU time read without libvirt, and what a killed start or a racing end leaves.

libvirt puts each guest of an embedded root into a folder
``machine/qemu-embed-<hash of the root>-<id>-<name>.libvirt-qemu`` of every hierarchy it uses. Hosts with
cgroup v1, v2 and both (v1 controllers, CPU statistics in the unified hierarchy) differ in where they are.
Sources: cgroups(7), kernel documents admin-guide/cgroup-v1/cpuacct and admin-guide/cgroup-v2.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from twinplane.hypervisor import process

MACHINE = "machine"
NOTE = "cgroups.json"
_NAMED = re.compile(r"-[0-9]+-([^-]+)\.libvirt-qemu$")


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted hierarchy; `controllers` is empty for the unified one (v2)."""

    mount: Path
    controllers: tuple[str, ...]


def hierarchies(mountinfo: str | None = None) -> tuple[Hierarchy, ...]:
    """All cgroup hierarchies mounted here (proc(5): /proc/pid/mountinfo), each once: one that is mounted
    below somebody's root directory as well is the same."""
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    found: dict[tuple[str, ...], Hierarchy] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ")[:3]
        if kind not in ("cgroup", "cgroup2"):
            continue
        named = () if kind == "cgroup2" else options.split(",")
        controllers = tuple(option for option in named if option not in ("rw", "ro", "xattr"))
        mount = Path(before.split(" ")[4])
        known = found.get(controllers)
        if known is None or len(mount.parts) < len(known.mount.parts):
            found[controllers] = Hierarchy(mount, controllers)
    return tuple(found.values())


def unified(found: tuple[Hierarchy, ...] | None = None) -> bool:
    """True where the CPU controller is that of the unified hierarchy (v2)."""
    return not any("cpu" in one.controllers for one in (hierarchies() if found is None else found))


class CpuClock:
    """CPU time of guests, from the cgroup of the QEMU process. `cgroups` gives the text of
    /proc/<pid>/cgroup."""

    def __init__(
        self,
        found: tuple[Hierarchy, ...] | None = None,
        *,
        cgroups: Callable[[int], str] = lambda pid: Path(f"/proc/{pid}/cgroup").read_text(),
    ) -> None:
        self._hierarchies = hierarchies() if found is None else found
        self._cgroups = cgroups

    def cpu_time(self, pid: int) -> int | None:
        """CPU time of the whole guest process so far in ns, or None where it has ended."""
        with suppress(OSError):
            for line in self._cgroups(pid).splitlines():
                _, controllers, path = line.split(":", 2)
                if f"/{MACHINE}" in path and (value := self._read(controllers, _guest(path))) is not None:
                    return value
        # No cgroup of its own: the kernel's own count, to the clock tick.
        return process.cpu_time(pid)

    def _read(self, controllers: str, path: str) -> int | None:
        for hierarchy in self._hierarchies:
            if controllers == "" and not hierarchy.controllers:
                statistics = (hierarchy.mount / path / "cpu.stat").read_text().split()
                return int(statistics[statistics.index("usage_usec") + 1]) * 1000
            if "cpuacct" in hierarchy.controllers and "cpuacct" in controllers.split(","):
                return int((hierarchy.mount / path / "cpuacct.usage").read_text())
        return None


class LeftOvers:
    """The cgroup folders of one libvirt root, and those of its guests in there; a note says which `machine`
    folders it brought."""

    def __init__(self, root: Path, found: tuple[Hierarchy, ...] | None = None) -> None:
        self._root = root = root.resolve()  # as libvirt was given it
        self._note = root / NOTE
        digest = hashlib.sha256(str(root).encode()).hexdigest()[:8]
        self._prefix = f"qemu-embed-{digest}-"
        self._hierarchies = hierarchies() if found is None else found

    def remember(self) -> None:
        """Note which hierarchies have no `machine` folder; call before libvirt is opened. Raises OSError."""
        noted = self._noted()
        missing = [str(each.mount) for each in self._hierarchies if not (each.mount / MACHINE).is_dir()]
        self._note.write_text(json.dumps(sorted(noted | set(missing))))

    def guests(self) -> tuple[Path, ...]:
        """Folders of guests of this root, running or not."""
        found: list[Path] = []
        for each in self._hierarchies:
            with suppress(FileNotFoundError):  # `machine` goes with the last guest, whoever ended it
                found += sorted((each.mount / MACHINE).glob(f"{self._prefix}*"))
        return tuple(found)

    def clean(self, domain: str) -> None:
        """Remove the empty folders of a domain whose guest has ended; after the last one `machine` too."""
        for folder in self.guests():
            if f"-{domain}." in folder.name:
                _remove(folder)
        if not self.guests():
            self.clean_machine()
        self._forget(domain)

    def sweep(self) -> None:
        """Remove what belongs to no guest any more; nobody may be starting one."""
        # Where its groups were not all made yet, libvirt itself leaves some of those that were.
        for folder in self.guests():
            named = _NAMED.search(folder.name)
            if named is not None and process.pid_of(self._root, named[1]) is None:
                _remove(folder)
        self.clean_machine()
        self._forget("vm*")

    def clean_machine(self) -> None:
        """Remove the `machine` folders that were not there before us, where nothing is left in them."""
        for mount in self._noted():
            with suppress(OSError):
                (Path(mount) / MACHINE).rmdir()

    def _forget(self, domains: str) -> None:
        """What libvirt makes for a guest, sockets, keys, mount points and files half written, and does not
        find again when it was killed during the start."""
        for folder in (self._root / "lib/qemu").glob(f"domain-*-{domains}"):
            if process.pid_of(self._root, folder.name.split("-", 2)[2]) is None:
                shutil.rmtree(folder, ignore_errors=True)
        for file in (self._root / "run/qemu").glob(f"{domains}.xml.new"):
            if process.pid_of(self._root, file.name.removesuffix(".xml.new")) is None:
                file.unlink(missing_ok=True)
        # What is mounted over while a guest gets a /dev of its own: empty, in this namespace.
        for place in (self._root / "run/qemu").glob(f"[0-9]*-{domains}.*"):
            if process.pid_of(self._root, place.name.split("-", 1)[1].partition(".")[0]) is None:
                with suppress(OSError):
                    place.rmdir() if place.is_dir() else place.unlink()

    def _noted(self) -> set[str]:
        try:
            noted = json.loads(self._note.read_text())
        except (OSError, ValueError):
            return set()
        return {str(each) for each in noted} if isinstance(noted, list) else set()


def _guest(path: str) -> str:
    """The folder of the whole guest: libvirt puts threads and (v2) processes into folders below it."""
    parts = path.strip("/").split("/")
    for position, part in enumerate(parts):
        if part.endswith((".libvirt-qemu", ".scope")):
            return "/".join(parts[: position + 1])
    return "/".join(parts)


def _remove(folder: Path) -> None:
    """Remove a tree of cgroups from the leaves up; one that holds a process stays, with its parents. Others
    remove folders at the same time: the kernel, libvirt, who ends another guest."""
    with suppress(OSError):
        for inner in folder.iterdir():
            if inner.is_dir():
                _remove(inner)
        folder.rmdir()
