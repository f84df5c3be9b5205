"""Image → the copies of its files that guests use."""

import hashlib

from twinplane.model.image import Image
from twinplane.plan.context import Context
from twinplane.plan.resource import ImageFile, Resource

KERNEL, INITRD = "kernel", "initrd"


def directory(image: Image) -> str:
    """Where the copies of an image's files lie, relative to the state directory: another name or another
    content is another directory, so that a running guest's files are never written to."""
    parts = (image.name, image.kernel.digest, image.initrd.digest if image.initrd else "")
    return f"images/{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()}"


def kernel_file(image: Image) -> str:
    """The kernel's copy, relative to the state directory."""
    return f"{directory(image)}/{KERNEL}"


def initrd_file(image: Image) -> str | None:
    """The copy of the initial RAM disk, relative to the state directory; None for an image without."""
    return f"{directory(image)}/{INITRD}" if image.initrd else None


def realise(image: Image, context: Context) -> tuple[Resource, ...]:
    """The resources of an image: one verified copy for each of its files."""
    del context  # an image is the same for every host
    files = [ImageFile(kernel_file(image), image.kernel.digest, image.path, image.kernel.source)]
    initrd = initrd_file(image)
    if image.initrd is not None and initrd is not None:
        files.append(ImageFile(initrd, image.initrd.digest, image.path, image.initrd.source))
    return tuple(files)
