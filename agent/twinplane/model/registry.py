"""Which kind of object stands where: from an object's path to the function that reads it."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from twinplane.model import appliance, image, port, switch
from twinplane.model.appliance import Appliance
from twinplane.model.image import Image
from twinplane.model.port import HostPort
from twinplane.model.switch import VirtualSwitch
from twinplane.tree.node import Container
from twinplane_wire.path import Path

Model: TypeAlias = Image | VirtualSwitch | Appliance | HostPort
Reader: TypeAlias = Callable[[Container], Model]

READERS: Mapping[tuple[str, ...], Reader] = {
    ("images", "image"): image.read,
    ("virtual-switches", "virtual-switch"): switch.read,
    ("appliances", "appliance"): appliance.read,
    ("interfaces", "interface"): port.read,
}


def read(path: Path, entry: Container) -> Model | None:
    """The typed view of the object at `path` (judged, with its defaults); None for what no planner reads, and
    for whatever lies in another origin than the default one."""
    if path.origin:
        return None
    reader = READERS.get(tuple(elem.name for elem in path.elems))
    return None if reader is None else reader(entry)
