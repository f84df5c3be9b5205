"""A virtual network appliance: compute, memory, vNICs, shares and day-0 files."""

from dataclasses import dataclass
from enum import Enum

from twinplane.model.entry import number, optional_number, optional_text, rows, text
from twinplane.tree.node import Container
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


def read(entry: Container) -> Appliance:
    """The appliance of a judged entry with its defaults; vNICs by index, files by target.

    Raises:
        TypeError: the entry was not judged.
    """
    vnics = (_vnic(row) for _, row in rows(entry, "vnics", "vnic"))
    files = (
        SeedFile(text(row, "config", "target"), text(row, "config", "content"))
        for _, row in rows(entry, "bootstrap", "files", "file")
    )
    return Appliance(
        name=text(entry, "config", "name"),
        image=text(entry, "config", "image"),
        admin_state=AdminState(text(entry, "config", "admin-state")),
        stop_timeout=number(entry, "config", "stop-timeout"),
        vcpus=number(entry, "compute", "config", "vcpus"),
        cpu=CpuShare(
            guarantee=optional_number(entry, "compute", "share", "config", "guarantee"),
            limit=optional_number(entry, "compute", "share", "config", "limit"),
        ),
        memory=number(entry, "memory", "config", "size"),
        vnics=tuple(sorted(vnics, key=lambda vnic: (vnic.index, vnic.name))),
        files=tuple(sorted(files, key=lambda file: file.target)),
    )


def _vnic(row: Container) -> Vnic:
    return Vnic(
        name=text(row, "config", "name"),
        index=number(row, "config", "index"),
        mac_address=optional_text(row, "config", "mac-address"),
        mtu=number(row, "config", "mtu"),
        virtual_switch=text(row, "config", "virtual-switch"),
        ingress=_rate(row, "ingress"),
        egress=_rate(row, "egress"),
    )


def _rate(row: Container, direction: str) -> RateLimit | None:
    limit = optional_number(row, "share", direction, "config", "limit")
    if limit is None:
        return None
    return RateLimit(limit, optional_number(row, "share", direction, "config", "burst"))
