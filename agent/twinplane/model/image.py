"""An appliance image: a kernel and, where it has one, an initial RAM disk."""

from dataclasses import dataclass

from twinplane.model.entry import optional_text, text
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file of an image: its source below the image directory and its digest (``sha256:<hex>``)."""

    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class Image:
    """`/images/image[name]`, format KERNEL."""

    name: str
    kernel: ImageFile
    initrd: ImageFile | None
    command_line: str

    @property
    def path(self) -> Path:
        """The model path of the image."""
        return image_path(self.name)


def image_path(name: str) -> Path:
    """The model path of the image of that name."""
    return ROOT.child("images").child("image", ("name", name))


def read(entry: Container) -> Image:
    """The image of a judged entry with its defaults; a missing digest is empty, and `rules.py` refuses it.

    Raises:
        TypeError: the entry was not judged.
    """
    source = optional_text(entry, "config", "initrd-source")
    digest = optional_text(entry, "config", "initrd-digest") or ""
    return Image(
        name=text(entry, "config", "name"),
        kernel=ImageFile(text(entry, "config", "kernel-source"), text(entry, "config", "kernel-digest")),
        initrd=None if source is None else ImageFile(source, digest),
        command_line=optional_text(entry, "config", "command-line") or "",
    )
