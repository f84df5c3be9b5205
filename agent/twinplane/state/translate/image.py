"""Images: whether the verified copies of their files are there."""

from collections.abc import Iterator

from twinplane.state.section import Section, present
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container
from twinplane_wire.path import Path


def translate(known: Known, image: Path) -> Iterator[Section]:
    """State of a configured image; READY while there is a copy for every digest it names."""
    config = known.config.get(image)
    if config is None:
        return
    copies = known.images.get(image, {})
    held = {copy.digest for copy in copies.values()}
    missing = [part for part, digest in _digests(config) if digest not in held]
    failure = known.failed.get(image) or (
        f"no verified copy of its {' and '.join(missing)}" if missing else ""
    )
    leaves = present(
        {
            "name": image.elems[-1].keys[0][1],
            "status": "FAILED" if failure else "READY",
            "reason": failure,
            "size": sum(copy.size for copy in copies.values()) or None,
        }
    )
    yield Section(image.child("state"), leaves)


def _digests(config: Container) -> Iterator[tuple[str, str]]:
    leaves = config.get("config")
    for part in ("kernel", "initrd"):
        digest = leaves.get(f"{part}-digest") if isinstance(leaves, Container) else None
        if isinstance(digest, str):
            yield part, digest
