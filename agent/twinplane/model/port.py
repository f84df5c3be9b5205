"""A host port under management: an entry of /interfaces whose device the agent did not make."""

from dataclasses import dataclass

from twinplane.model.entry import flag, optional_number, text
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path


@dataclass(frozen=True, slots=True)
class HostPort:
    """`/interfaces/interface[name]` of a host port; `mtu` in bytes, None leaves the device's own alone."""

    name: str
    enabled: bool
    mtu: int | None

    @property
    def path(self) -> Path:
        """The model path of the port."""
        return interface_path(self.name)


def interface_path(name: str) -> Path:
    """The model path of the interface of that name."""
    return ROOT.child("interfaces").child("interface", ("name", name))


def read(entry: Container) -> HostPort:
    """The host port of a judged entry with its defaults. Raises TypeError if not judged."""
    return HostPort(
        name=text(entry, "config", "name"),
        enabled=flag(entry, "config", "enabled"),
        mtu=optional_number(entry, "config", "mtu"),
    )
