"""A virtual network appliance: compute, memory, vNICs, shares and day-0 files."""

from dataclasses import dataclass
from enum import Enum

from twinplane_wire.path import ROOT, Path


class AdminState(Enum):
    """The run state that is asked for."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class CpuShare:
    """CPU in millicores: `guarantee` is kept under contention, `limit` never exceeded."""

    guarantee: int | None
    limit: int | None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A shaped direction: `limit` in bit/s, `burst` in bytes (None: derived from the limit)."""

    limit: int
    burst: int | None


@dataclass(frozen=True, slots=True)
class Vnic:
    """One virtual NIC. `ingress` is towards the appliance, `egress` from it; None means unshaped."""

    name: str
    index: int
    mac_address: str | None
    mtu: int
    virtual_switch: str
    ingress: RateLimit | None
    egress: RateLimit | None


@dataclass(frozen=True, slots=True)
class SeedFile:
    """A day-0 file: its path inside the seed and its text."""

    target: str
    content: str


@dataclass(frozen=True, slots=True)
class Appliance:
    """`/appliances/appliance[name]`, type VIRTUAL_MACHINE; `memory` in bytes, `stop_timeout` in seconds."""

    name: str
    image: str
    admin_state: AdminState
    stop_timeout: int
    vcpus: int
    cpu: CpuShare
    memory: int
    vnics: tuple[Vnic, ...]
    files: tuple[SeedFile, ...]

    @property
    def path(self) -> Path:
        """The model path of the appliance."""
        return appliance_path(self.name)

    def vnic_path(self, vnic: str) -> Path:
        """The model path of one of its vNICs."""
        return vnic_path(self.name, vnic)


def appliance_path(name: str) -> Path:
    """The model path of the appliance of that name."""
    return ROOT.child("appliances").child("appliance", ("name", name))


def vnic_path(appliance: str, vnic: str) -> Path:
    """The model path of a vNIC."""
    return appliance_path(appliance).child("vnics").child("vnic", ("name", vnic))
