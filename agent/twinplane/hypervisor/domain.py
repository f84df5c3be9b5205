"""What is known of a domain, as plain values: its state, its mark, its lifecycle events."""

import re
from dataclasses import dataclass
from enum import Enum
from uuid import UUID
from xml.etree import ElementTree

NAMESPACE = "https://twinplane.org/xmlns/domain/1"


class DomainState(Enum):
    """virDomainState by name (libvirt-domain.h)."""

    NOSTATE = 0
    RUNNING = 1
    BLOCKED = 2
    PAUSED = 3
    SHUTDOWN = 4
    SHUTOFF = 5
    CRASHED = 6
    PMSUSPENDED = 7


# Reasons by state, as libvirt numbers them from 0 (enums virDomainRunningReason and those like it).
REASONS: dict[DomainState, tuple[str, ...]] = {
    DomainState.RUNNING: (
        "unknown",
        "booted",
        "migrated",
        "restored",
        "from-snapshot",
        "unpaused",
        "migration-cancelled",
        "save-cancelled",
        "wakeup",
        "crashed",
        "postcopy",
        "postcopy-failed",
    ),
    DomainState.PAUSED: (
        "unknown",
        "user",
        "migration",
        "save",
        "dump",
        "io-error",
        "watchdog",
        "from-snapshot",
        "shutting-down",
        "snapshot",
        "crashed",
        "starting-up",
        "postcopy",
        "postcopy-failed",
        "api-error",
    ),
    DomainState.SHUTDOWN: ("unknown", "user"),
    DomainState.SHUTOFF: (
        "unknown",
        "shutdown",
        "destroyed",
        "crashed",
        "migrated",
        "saved",
        "failed",
        "from-snapshot",
        "daemon",
    ),
    DomainState.CRASHED: ("unknown", "panicked"),
}


@dataclass(frozen=True, slots=True)
class DomainMark:
    """Our element in a domain's metadata: whose it is, what it realises and from what it was made."""

    instance: UUID
    path: str
    digest: str
    image_digest: str
    seed_digest: str


@dataclass(frozen=True, slots=True)
class DomainInterface:
    """A network interface of a definition: the host's device, the guest's MAC, its place in the guest."""

    device: str
    mac: str
    index: int


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """One domain as libvirt knows it; `memory` in bytes, `mark` None where the domain is not of our making.

    Definition and mark are those of the running guest where it is active. `pid` and `start_time` (ns since
    the epoch) are those of the QEMU process. `label` is the static DAC label it runs with, `+uid:+gid`, empty
    where it runs as the user that all guests share.
    """

    name: str
    uuid: UUID
    title: str
    state: DomainState
    reason: str
    vcpus: int
    memory: int
    mark: DomainMark | None
    pid: int | None
    start_time: int | None
    interfaces: tuple[DomainInterface, ...] = ()
    label: str = ""

    @property
    def active(self) -> bool:
        """True when there is a guest, running or not."""
        return self.state not in (DomainState.SHUTOFF, DomainState.CRASHED, DomainState.NOSTATE)


class DomainEventKind(Enum):
    """virDomainEventType by name (libvirt-domain.h)."""

    DEFINED = 0
    UNDEFINED = 1
    STARTED = 2
    SUSPENDED = 3
    RESUMED = 4
    STOPPED = 5
    SHUTDOWN = 6
    PMSUSPENDED = 7
    CRASHED = 8


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """A lifecycle event. `time` is the moment of receipt on the monotonic clock, in ns."""

    name: str
    uuid: UUID
    kind: DomainEventKind
    detail: int
    time: int


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The connection was opened anew: everything known of domains must be read again."""


@dataclass(frozen=True, slots=True)
class SchedulerValues:
    """CPU tuning of a domain: `quota` and `period` of the whole process in µs (-1: no limit), `shares`."""

    quota: int
    period: int
    shares: int


@dataclass(frozen=True, slots=True)
class SchedulerRecord:
    """The CPU tuning of a domain; `mark` None where the domain is not of our making."""

    name: str
    mark: DomainMark | None
    values: SchedulerValues


def reason_name(state: DomainState, reason: int) -> str:
    """Short name of the reason of a state; ``unknown`` where libvirt is newer than this table."""
    names = REASONS.get(state, ())
    return names[reason] if 0 <= reason < len(names) else "unknown"


def parse_mark(element: str) -> DomainMark | None:
    """The mark in a metadata element, or None where it is not one of ours (or of a later form)."""
    try:
        attributes = ElementTree.fromstring(element).attrib
        return DomainMark(
            instance=UUID(attributes["instance"]),
            path=attributes["path"],
            digest=attributes["digest"],
            image_digest=attributes.get("image-digest", ""),
            seed_digest=attributes.get("seed-digest", ""),
        )
    except (ElementTree.ParseError, KeyError, ValueError):
        return None


def parse_interfaces(xml: str) -> tuple[DomainInterface, ...]:
    """The interfaces of a domain's XML by their places: a definition of ours puts vNIC n behind root port n,
    which is PCI bus n + 1."""
    found = []
    for element in ElementTree.fromstring(xml).iterfind("./devices/interface"):
        device, mac = _attribute(element, "target", "dev"), _attribute(element, "mac", "address")
        bus = int(_attribute(element, "address", "bus") or "0", 0)
        found.append(DomainInterface(device, mac, bus - 1))
    return tuple(sorted(found, key=lambda interface: interface.index))


def parse_label(xml: str) -> str:
    """The static DAC label in a domain's XML as libvirt writes it; empty where there is none."""
    match = _LABEL.search(xml)
    return match[1] if match else ""


_LABEL = re.compile(r"<seclabel type='static' model='dac'[^>]*>\s*<label>([^<]*)</label>")


def _attribute(element: ElementTree.Element, child: str, name: str) -> str:
    found = element.find(child)
    return "" if found is None else found.get(name, "")
