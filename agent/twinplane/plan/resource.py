"""Resources: the kernel and hypervisor objects that realise a model, as frozen values.

The same types say what is wanted (planners), what was read back (drivers) and what is (sources). Equality is
what counts as "nothing to do"; fields that are carried along but not compared say so. `owner` is the model
path an object realises and is part of its mark (interface alias, domain metadata).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from twinplane.model.appliance import SeedFile
from twinplane.share.network import burst_ticks
from twinplane_wire.path import Path


class Noun(Enum):
    """The kinds of resource, named as the kernel and libvirt name them; each has one driver."""

    IMAGE_FILE = "image-file"
    SEED = "seed"
    BRIDGE = "bridge"
    TAP = "tap"
    IFB = "ifb"
    QDISC = "qdisc"
    PORT = "port"
    LINK = "link"
    DOMAIN = "domain"
    SCHEDULER = "scheduler"


class Key(NamedTuple):
    """What identifies a resource on its host: its noun and its kernel, libvirt or file name."""

    noun: Noun
    name: str

    def __str__(self) -> str:
        return f"{self.noun.value} {self.name}"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A verified copy of an image's file. `file` is relative to the state directory, `digest` is
    ``sha256:<hex>``, `source` relative to the image directory (needed only to make the copy)."""

    file: str
    digest: str
    owner: Path
    source: str = field(compare=False)
    size: int = field(default=0, compare=False)  # bytes, filled in by read-back

    @property
    def key(self) -> Key:
        return Key(Noun.IMAGE_FILE, self.file)


@dataclass(frozen=True, slots=True)
class Seed:
    """A NoCloud seed image. `file` is relative to the state directory; `digest` (``sha256:<hex>``) is over
    the sorted (target, content) pairs as `plan/appliance/seed.py` defines it; read-back knows only that."""

    file: str
    digest: str
    owner: Path
    uuid: UUID
    hostname: str
    files: tuple[SeedFile, ...] = field(compare=False)

    @property
    def key(self) -> Key:
        return Key(Noun.SEED, self.file)


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge device, down when made; `mtu` in bytes. No address of the host is ever on it."""

    name: str
    owner: Path
    mtu: int
    mac: str

    @property
    def key(self) -> Key:
        return Key(Noun.BRIDGE, self.name)


@dataclass(frozen=True, slots=True)
class Tap:
    """A persistent tap of our own, down and without master when made. `mac` is that of the host's end."""

    name: str
    owner: Path
    mtu: int
    mac: str

    @property
    def key(self) -> Key:
        return Key(Noun.TAP, self.name)


@dataclass(frozen=True, slots=True)
class Ifb:
    """An intermediate functional block device (queues what a vNIC's appliance sends)."""

    name: str
    owner: Path
    mtu: int

    @property
    def key(self) -> Key:
        return Key(Noun.IFB, self.name)


@dataclass(frozen=True, slots=True)
class Htb:
    """Root HTB with one class: `rate` in bit/s as the kernel keeps it (whole bytes/s), `burst` in bytes.

    Two bursts that are one to the kernel (`burst_ticks`) are equal. `domain` names the domain that owns the
    device where libvirt replaces the root qdisc at each start.
    """

    device: str
    rate: int
    burst: int = field(compare=False)
    owner: Path
    domain: str | None = field(default=None, compare=False)
    ticks: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ticks", burst_ticks(self.rate, self.burst))

    @property
    def key(self) -> Key:
        return Key(Noun.QDISC, f"{self.device} root")


@dataclass(frozen=True, slots=True)
class Redirect:
    """An ingress qdisc whose only filter sends everything to the queue of another device (u32 + mirred)."""

    device: str
    target: str
    owner: Path

    @property
    def key(self) -> Key:
        return Key(Noun.QDISC, f"{self.device} ingress")


@dataclass(frozen=True, slots=True)
class Port:
    """Where a device of ours is plugged and that it is up. `master` is a bridge name or None."""

    device: str
    owner: Path
    master: str | None
    up: bool

    @property
    def key(self) -> Key:
        return Key(Noun.PORT, self.device)


@dataclass(frozen=True, slots=True)
class Plug:
    """A host port (a device that the agent did not make) plugged into a bridge of ours.

    `master` is the bridge, or None while the port is put aside or let go. `address_generation` is the IPv6
    mode of the device (0 EUI64, 1 NONE, 2 STABLE_PRIVACY, 3 RANDOM: if_link.h). An absent device is no error:
    the port is WAITING. What the device had before is a foreign value, given back when the port is let go.
    `device` is the name in the configuration, which may be an alternative one; `index` is the kernel's of the
    device behind it, as it was read (0: not read).
    """

    device: str
    owner: Path
    master: str | None
    address_generation: int
    index: int = field(default=0, compare=False)

    @property
    def key(self) -> Key:
        return Key(Noun.PORT, self.device)


@dataclass(frozen=True, slots=True)
class Link:
    """Admin state and MTU of a host port under management; None leaves an attribute alone. Absent device,
    names and foreign values as for `Plug`."""

    device: str
    owner: Path
    up: bool | None
    mtu: int | None
    index: int = field(default=0, compare=False)

    @property
    def key(self) -> Key:
        return Key(Noun.LINK, self.device)


class ForeignValue(NamedTuple):
    """The value an attribute of a foreign device had before it was first changed; `owner` is the model path
    that took it. Attributes: ``address-generation``, ``up``, ``mtu`` (``master`` is always none before).

    `ifindex` and `address` (as a number; 0: unknown) say which device it was taken of: names move."""

    device: str
    attribute: str
    value: int
    owner: Path
    ifindex: int = 0
    address: int = 0


class HostDevice(NamedTuple):
    """A device of the host by what identifies it: its index and address (as a number), and all its names, the
    primary one first."""

    ifindex: int
    address: int
    names: tuple[str, ...]


class Run(Enum):
    """Run state of a domain as far as a plan can ask for it."""

    STOPPED = "stopped"
    PAUSED = "paused"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain defined in the hypervisor. `digest` covers its definition without what is tuned live, and is
    kept in its metadata: equal digest means adopt as it is. `xml`, which writes the definition for the user
    that a DAC label names (``+uid:+gid``; empty: the one of all guests), and `title` are carried, not
    compared.

    `stop_timeout` (seconds) is for a graceful stop, which is a final step: a request to the guest.
    """

    name: str
    uuid: UUID
    owner: Path
    digest: str
    run: Run
    xml: Callable[[str], str] = field(default=str, compare=False, repr=False)
    title: str = field(default="", compare=False)
    stop_timeout: int = field(default=60, compare=False)

    @property
    def key(self) -> Key:
        return Key(Noun.DOMAIN, self.name)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """CPU shares of a domain: `quota` and `period` in µs for the whole process (quota -1: no limit), `shares`
    relative to its siblings (libvirt's cpu_shares)."""

    domain: str
    owner: Path
    quota: int
    period: int
    shares: int

    @property
    def key(self) -> Key:
        return Key(Noun.SCHEDULER, self.domain)


Resource: TypeAlias = (
    ImageFile | Seed | Bridge | Tap | Ifb | Htb | Redirect | Port | Plug | Link | Domain | Scheduler
)


class Ownership(Enum):
    """Whose object stands under a name."""

    ABSENT = "absent"
    OWN = "own"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands under a key: whose it is and, where it is ours, the resource as read."""

    ownership: Ownership
    resource: Resource | None = None
    description: str = ""  # of a foreign object, for the message to the user
