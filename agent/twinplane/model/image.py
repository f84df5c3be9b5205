"""An appliance image: a kernel and, where it has one, an initial RAM disk."""

from dataclasses import dataclass

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
