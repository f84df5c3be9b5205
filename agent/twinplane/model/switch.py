"""A virtual switch and the host ports plugged into it."""

from dataclasses import dataclass

from twinplane.model.entry import number, rows, text
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path


@dataclass(frozen=True, slots=True)
class VirtualSwitch:
    """`/virtual-switches/virtual-switch[name]`; `ports` are kernel names of host ports, `mtu` in bytes."""

    name: str
    mtu: int
    ports: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The model path of the switch."""
        return switch_path(self.name)

    def port_path(self, interface: str) -> Path:
        """The model path of one of its ports."""
        return self.path.child("ports").child("port", ("interface", interface))


def switch_path(name: str) -> Path:
    """The model path of the switch of that name."""
    return ROOT.child("virtual-switches").child("virtual-switch", ("name", name))


def read(entry: Container) -> VirtualSwitch:
    """The switch of a judged entry with its defaults, its ports by name. Raises TypeError if not judged."""
    return VirtualSwitch(
        name=text(entry, "config", "name"),
        mtu=number(entry, "config", "mtu"),
        ports=tuple(sorted(text(row, "config", "interface") for _, row in rows(entry, "ports", "port"))),
    )
