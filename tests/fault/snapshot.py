"""What stands on a host: kernel, guests, files and the datastore, as lines that can be compared.

Read without the agent and without libvirt: from `ip` and `tc`, from libvirt's own files, from /proc, from the
control groups, from SQLite. What changes by itself (indexes, counters, numbers of guests) is left out.
"""

import hashlib
import json
import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from e2e.place import Place, tool
from twinplane.hypervisor.cgroup import hierarchies

_LINK = ("ifname", "ifalias", "address", "mtu", "master", "inet6_addr_gen_mode", "linkinfo")
_LIVE_FILES = ("cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.weight", "cpu.max")
_VOLATILE = re.compile(r"stats|.*_timer|bridge_id|id|no|designated_.*|root_.*|topology_change.*|state")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Lines by kind. `processes` are those of guests: name → process id."""

    lines: dict[str, tuple[str, ...]]
    processes: dict[str, int]

    def difference(self, other: "Snapshot") -> str:
        """What is there (-) and not here, and the other way round (+); empty where nothing differs."""
        found = []
        for kind, lines in self.lines.items():
            there = other.lines[kind]
            found += [f"{kind}: - {line}" for line in there if line not in lines]
            found += [f"{kind}: + {line}" for line in lines if line not in there]
        return "\n".join(found)


def take(place: Place, state: Path) -> Snapshot:
    """Look at everything; once more where something went away between two looks."""
    for _ in range(10):
        with suppress(FileNotFoundError, ElementTree.ParseError):
            return _take(place, state)
        time.sleep(0.1)
    return _take(place, state)


def _take(place: Place, state: Path) -> Snapshot:
    links = json.loads(place.ip("-json", "-details", "address", "show"))
    return Snapshot(
        {
            "device": tuple(_device(link) for link in links),
            "qdisc": _lines(
                place.tc("qdisc", "show"), r" refcnt \d+", r" direct_packets_stat \d+", r"(?<=noqueue) \w+:"
            ),
            "class": tuple(
                f"{link['ifname']} {line}"
                for link in links
                for line in _lines(_of_device(place, "class", link["ifname"]), r" leaf \w+:")
            ),
            "filter": tuple(
                f"{link['ifname']} {line}" for link in links for line in _filters(place, link["ifname"])
            ),
            "domain": tuple(_domains(state)),
            "guest": tuple(_guests(state)),
            "hypervisor": tuple(_hypervisor_files(state)),
            "control group": tuple(_cgroups(state)),
            "file": tuple(_files(state)),
            "running": tuple(rows(state, "SELECT origin, path, body FROM object ORDER BY origin, path")),
            "journal": tuple(rows(state, "SELECT status FROM journal")),
            "foreign value": tuple(rows(state, "SELECT device, attribute, value FROM foreign_values")),
        },
        {name: pid for name, (_, pid) in _statuses(state).items()},
    )


def _device(link: dict[str, object]) -> str:
    kept = {name: _stripped(link[name]) for name in _LINK if name in link}
    flags = link["flags"]
    assert isinstance(flags, list)
    kept["up"] = "UP" in flags
    if str(link.get("ifalias", "")).startswith("twinplane:") and "fb" in str(link["ifname"])[:2]:
        del kept["address"]  # the kernel's choice, for a device that nobody ever addresses
    addresses = link["addr_info"]
    assert isinstance(addresses, list)
    # Link-local addresses come and go with the carrier of devices that are not ours.
    kept["addresses"] = sorted(str(each["local"]) for each in addresses if each["scope"] != "link")
    return json.dumps(kept, sort_keys=True)


def _stripped(value: object) -> object:
    if isinstance(value, dict):
        return {name: _stripped(each) for name, each in value.items() if not _VOLATILE.fullmatch(name)}
    return value


def _lines(text: str, *dropped: str) -> tuple[str, ...]:
    for pattern in dropped:
        text = re.sub(pattern, "", text)
    return tuple(sorted(line.strip() for line in text.splitlines() if line.strip()))


def _filters(place: Place, device: str) -> tuple[str, ...]:
    text = _of_device(place, "filter", device, "ingress")
    return _lines(text, r"index \d+ ref \d+ bind \d+", r"fh \w+:+\w*")


def _of_device(place: Place, kind: str, device: str, *more: str) -> str:
    """What `tc` says of a device; nothing where it has gone meanwhile."""
    return tool(*place.command("tc", kind, "show", "dev", device, *more), check=False)


def _domains(state: Path) -> list[str]:
    """Definitions, whole: what is tuned live and kept in them counts too."""
    found = []
    for file in sorted((state / "libvirt/etc/qemu").glob("*.xml")):
        root = ElementTree.fromstring(file.read_text())
        for label in root.iterfind("seclabel/label"):
            # A user id of its own, which one does not matter: another run's guest may have had it.
            label.text = re.sub(r"^\+\d+:", "+own:", label.text or "")
        found.append(
            ElementTree.canonicalize(ElementTree.tostring(root, encoding="unicode"), strip_text=True)
        )
    return found


def _statuses(state: Path) -> dict[str, tuple[str, int]]:
    """Guests by libvirt's status files: name → state and process id."""
    found = {}
    for file in (state / "libvirt/run/qemu").glob("*.xml"):
        status = ElementTree.fromstring(file.read_text())
        name = status.findtext("domain/name")
        if name:
            found[name] = (status.get("state", "?"), int(status.get("pid", "0")))
    return found


def _guests(state: Path) -> list[str]:
    """Guests by libvirt and by /proc."""
    lines = [f"{name} {status}" for name, (status, _) in _statuses(state).items()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and any(str(state).encode() in word for word in words):
            name = next((word for word in words if word.startswith(b"guest=")), b"asked by libvirt")
            lines.append(f"process {name.decode().split(',')[0]}")
    return sorted(lines)


def _hypervisor_files(state: Path) -> list[str]:
    """What libvirt keeps about guests that are there."""
    found = []
    for folder in ("run/qemu", "lib/qemu"):
        for file in (state / "libvirt" / folder).glob("*"):
            name = re.sub(r"^domain-\d+-", "domain-", file.name)
            if name not in ("driver.pid", "autostarted"):
                found.append(f"{folder}/{name}")
    return sorted(found)


def _cgroups(state: Path) -> list[str]:
    """Control groups of this root's guests, with what is tuned in them."""
    digest = hashlib.sha256(str(state / "libvirt").encode()).hexdigest()[:8]
    found = []
    folders = [
        folder
        for each in hierarchies()
        if (each.mount / "machine").is_dir()
        for folder in each.mount.joinpath("machine").iterdir()
        if folder.name.startswith(f"qemu-embed-{digest}-")
    ]
    for folder in folders:
        mount = folder.relative_to("/sys/fs/cgroup").parts[0]
        name = re.sub(r"-embed-\w+-\d+-", "-", folder.name)
        found.append(f"{mount} {name}")
        for file in _LIVE_FILES:
            with suppress(OSError):  # not in this hierarchy, or its guest is just going
                found.append(f"{mount} {name} {file} {(folder / file).read_text().strip()}")
    return sorted(found)


def _files(state: Path) -> list[str]:
    found = []
    for folder in ("images", "appliances", "trash"):
        for path in sorted((state / folder).rglob("*")):
            line = str(path.relative_to(state))
            if path.is_file() and path.name != "console.log" and path.suffix != ".json":
                line += f" {hashlib.sha256(path.read_bytes()).hexdigest()}"
            found.append(line)
    return found


def rows(state: Path, query: str) -> list[str]:
    with sqlite3.connect(f"file:{state}/twinplane.db?mode=ro", uri=True) as database:
        try:
            return [
                " ".join(each.decode() if isinstance(each, bytes) else str(each) for each in row)
                for row in database.execute(query)
            ]
        finally:
            database.rollback()
