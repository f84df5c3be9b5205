"""Verified copies of image files below the state directory."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from twinplane.errors import DriverError
from twinplane.image.source import SourceError
from twinplane.image.store import Store, StoredFile
from twinplane.model.names import alias, parse_alias
from twinplane.plan.resource import Found, ImageFile, Key, Noun, Ownership, Resource

LOG = logging.getLogger(__name__)


class ImageFileDriver:
    """Copies, puts aside into the trash, restores. The state directory is ours: nothing in it is foreign."""

    nouns = frozenset({Noun.IMAGE_FILE})

    def __init__(self, store: Store, image_dir: Path, instance: UUID) -> None:
        self._store = store
        self._image_dir = image_dir
        self._instance = instance

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Make the copy, taking it from the trash where it was put aside; None puts it aside."""
        if wanted is not None and not isinstance(wanted, ImageFile):
            raise DriverError(f"{key} is no image file")
        try:
            return await asyncio.to_thread(self._bring, key.name, wanted)
        except (SourceError, OSError) as error:
            raise DriverError(f"{key}: {error}") from error

    async def find(self, key: Key) -> Found:
        """Own where a file stands there."""
        there = await asyncio.to_thread(self._read, key.name)
        return Found(Ownership.ABSENT) if there is None else Found(Ownership.OWN, there)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:  # noqa: ARG002
        """All copies there are, at the cost of a look at each (see `image.store`). One that cannot be read is
        left out: what then wants it meets its error."""
        return await asyncio.to_thread(self._survey)

    def _bring(self, name: str, wanted: ImageFile | None) -> ImageFile | None:
        if wanted is None:
            self._store.set_aside(name)
            return self._read(name)
        if self._read(name) == wanted:
            return self._read(name)
        self._store.restore(name)
        if self._read(name) != wanted:
            mark = alias(self._instance, wanted.owner)
            self._store.copy(self._image_dir, wanted.source, name, wanted.digest, mark)
        there = self._read(name)
        if there != wanted:
            raise DriverError(f"{name}: wanted {wanted.digest}, found {there.digest if there else 'none'}")
        return there

    def _survey(self) -> tuple[Resource, ...]:
        found: list[Resource] = []
        for name in self._store.names("images"):
            try:
                if (there := self._read(name)) is not None:
                    found.append(there)
            except DriverError as error:
                LOG.warning("%s", error)
        return tuple(found)

    def _read(self, name: str) -> ImageFile | None:
        try:
            stored = self._store.read(name)
        except OSError as error:
            raise DriverError(f"{name}: {error}") from error
        return None if stored is None else _resource(stored)


def _resource(stored: StoredFile) -> ImageFile | None:
    owner = parse_alias(stored.mark)
    if owner is None:
        return None  # its note is gone: what wants this file makes it anew
    return ImageFile(stored.file, stored.digest, owner.path, source="", size=stored.size)
