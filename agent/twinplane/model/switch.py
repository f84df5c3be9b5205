"""A virtual switch and the host ports plugged into it."""

from dataclasses import dataclass

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
