"""Typed facts: what a source saw or a driver read back. Plain frozen values; units as in the model.

What a plan can want and a driver can read back (bridge, domain, scheduler, …) is a fact in the very type of
`plan/resource.py`; here are those that nobody configures.
"""

from dataclasses import dataclass
from typing import TypeAlias

from twinplane.model.host import Capabilities
from twinplane.plan.resource import Key, Resource
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class LinkFact:
    """A network device of the host's namespace (RTM_NEWLINK). `oper` is IFLA_OPERSTATE as in RFC 2863 by name
    (UP, DOWN, UNKNOWN, LOWERLAYERDOWN, DORMANT, …); `owner` comes from the alias where the device is ours."""

    name: str
    index: int
    kind: str  # IFLA_INFO_KIND: bridge, tun, ifb, veth, …; "" for hardware, "loopback" for lo
    mtu: int
    mac: str
    owner: Path | None
    up: bool  # IFF_UP
    oper: str
    carrier: bool
    carrier_changes: int
    master: str | None  # name of the bridge it is a port of
    addressed: bool = False  # carries an IP address of the host
    alternatives: tuple[str, ...] = ()  # its other names

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it goes by, the primary one first."""
        return (self.name, *self.alternatives)


@dataclass(frozen=True, slots=True)
class LinkGone:
    """A network device that has vanished."""

    name: str


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Counters of one device in the device's own view (a tap's rx is what its appliance sent)."""

    name: str
    rx_octets: int
    rx_packets: int
    rx_errors: int
    rx_drops: int
    tx_octets: int
    tx_packets: int
    tx_errors: int
    tx_drops: int


@dataclass(frozen=True, slots=True)
class DomainVnic:
    """A network interface in a domain's definition: the device at the host's end, the guest's MAC address and
    the model's index (the place on the guest's bus)."""

    device: str
    mac: str
    index: int


@dataclass(frozen=True, slots=True)
class DomainFact:
    """The state of one of our domains. `state` is libvirt's name in lower case (running, paused, shutdown,
    shutoff, crashed, …), `reason` a short name of the reason; `start_time` in ns since the epoch; `vnics` as
    the definition has them that the guest runs with."""

    name: str
    uuid: str
    owner: Path
    state: str
    reason: str
    vcpus: int
    memory: int  # bytes
    image_digest: str
    start_time: int | None
    pid: int | None
    vnics: tuple[DomainVnic, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainGone:
    """A domain that is no longer defined."""

    name: str
    owner: Path


@dataclass(frozen=True, slots=True)
class DomainUsage:
    """What a domain's whole process uses at `time` (ns of the monotonic clock): CPU time so far in ns, and
    memory that is resident, in bytes."""

    name: str
    owner: Path
    cpu_time: int
    time: int
    resident: int = 0


@dataclass(frozen=True, slots=True)
class ResourceGone:
    """A resource that was there and is not any more."""

    key: Key
    owner: Path


@dataclass(frozen=True, slots=True)
class HostFact:
    """The host itself: `boot_time` in ns since the epoch."""

    hostname: str
    boot_time: int
    capabilities: Capabilities
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class SourceFact:
    """Health of a source of facts: OK, STALE (its last answer is old) or FAILED, with the time of its last
    answer in ns since the epoch."""

    name: str
    status: str
    reason: str
    last_update: int


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """An alarm that is raised or (when `cleared`) gone."""

    id: str
    resource: str
    severity: str  # MINOR, MAJOR, CRITICAL, WARNING
    text: str
    cleared: bool = False
    kind: str = "OBJECT_FAILED"  # an identity derived from twinplane-types:ALARM_TYPE


Fact: TypeAlias = (
    LinkFact
    | LinkGone
    | LinkCounters
    | DomainFact
    | DomainGone
    | DomainUsage
    | Resource
    | ResourceGone
    | HostFact
    | SourceFact
    | AlarmFact
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts that were seen together. With `complete` they are all there is of that source: what an earlier
    batch reported and this one does not is gone (after lost events, a reconnect, or at start)."""

    source: str
    facts: tuple[Fact, ...]
    complete: bool = False
