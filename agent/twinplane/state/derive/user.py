"""Which appliances use an image."""

from collections.abc import Iterator, Mapping

from twinplane.model.host import Capabilities
from twinplane.model.image import image_path
from twinplane.state.derive.derivation import Derivation, leaf
from twinplane.state.section import Section
from twinplane.tree.node import Container
from twinplane_wire.path import Path


def contribute(path: Path, node: Container) -> tuple[str, str | None] | None:
    """Of an appliance: the image its configuration names; of an image: that it is there."""
    if path.elems[0].name == "images":
        return ("", None) if node.get("config") is not None else None
    image = leaf(node, "config", "image")
    return (path.elems[1].keys[0][1], image) if isinstance(image, str) else None


def fold(
    contributions: Mapping[Path, tuple[str, str | None]], host: Capabilities | None
) -> Iterator[Section]:
    """The users of each image that is there, in alphabetical order."""
    del host
    users: dict[str, list[str]] = {}
    for appliance, image in contributions.values():
        if image is not None:
            users.setdefault(image, []).append(appliance)
    for image, names in users.items():
        path = image_path(image)
        if path in contributions:
            yield Section(path.child("state"), {"users": tuple(sorted(names))})


USERS = Derivation((("images", "image"), ("appliances", "appliance")), contribute, fold)
