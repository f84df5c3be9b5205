"""Seed images below the state directory."""

import asyncio
import logging
from collections.abc import Iterable
from uuid import UUID

from twinplane.errors import DriverError
from twinplane.image.seed import SeedContent, SeedError, build, read
from twinplane.image.store import Store
from twinplane.model.names import alias, parse_alias
from twinplane.plan.appliance.seed import digest
from twinplane.plan.resource import Found, Key, Noun, Ownership, Resource, Seed

LOG = logging.getLogger(__name__)


class SeedDriver:
    """Builds, puts aside. The digest read back is computed from the files inside, as the planner does it."""

    nouns = frozenset({Noun.SEED})

    def __init__(self, store: Store, instance: UUID) -> None:
        self._store = store
        self._instance = instance

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Write the image (the same input gives the same bytes); None puts it into the trash."""
        if wanted is not None and not isinstance(wanted, Seed):
            raise DriverError(f"{key} is no seed")
        try:
            return await asyncio.to_thread(self._bring, key.name, wanted)
        except (SeedError, OSError) as error:
            raise DriverError(f"{key}: {error}") from error

    async def find(self, key: Key) -> Found:
        """Own where a file stands there."""
        there = await asyncio.to_thread(self._read, key.name)
        return Found(Ownership.ABSENT) if there is None else Found(Ownership.OWN, there)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:  # noqa: ARG002
        """All seed images there are. One that cannot be read is left out: what wants it meets its error."""
        return await asyncio.to_thread(self._survey)

    def _bring(self, name: str, wanted: Seed | None) -> Seed | None:
        if wanted is None:
            self._store.set_aside(name)
            return self._read(name)
        there = self._read(name)
        if there == wanted:
            return there
        mark = alias(self._instance, wanted.owner)
        files = tuple(sorted(wanted.files, key=lambda file: file.target))
        content = SeedContent(mark, wanted.uuid, wanted.hostname, files)
        self._store.write(name, build(content, wanted.digest))
        there = self._read(name)
        if there != wanted:
            raise DriverError(f"{name}: wanted {wanted.digest}, found {there.digest if there else 'none'}")
        return there

    def _survey(self) -> tuple[Resource, ...]:
        found: list[Resource] = []
        for name in self._store.names("appliances"):
            try:
                if name.endswith("/seed.iso") and (there := self._read(name)) is not None:
                    found.append(there)
            except DriverError as error:
                LOG.warning("%s", error)
        return tuple(found)

    def _read(self, name: str) -> Seed | None:
        try:
            content = read(self._store.path(name))
        except (FileNotFoundError, SeedError):
            return None  # one that is not whole is as good as absent: it is made anew
        except OSError as error:
            raise DriverError(f"{name}: {error}") from error
        owner = parse_alias(content.mark)
        if owner is None:
            return None
        return Seed(
            file=name,
            digest=digest(content.files),
            owner=owner.path,
            uuid=content.uuid,
            hostname=content.hostname,
            files=content.files,
        )
