"""How the datastore keeps one object: as JSON_IETF, so that a file outlives the program that wrote it."""

import json
from dataclasses import dataclass

from twinplane.schema.compile import Schemas
from twinplane.schema.json_ietf import decode, encode
from twinplane.schema.rename import renamed
from twinplane.schema.resolve import resolve
from twinplane.tree.node import Container
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class ObjectCodec:
    """`transaction.datastore.Codec` over the schema."""

    schemas: Schemas

    def encode(self, path: Path, node: Container) -> bytes:
        """The object as JSON text in UTF-8."""
        return encode(node, self.schemas.table(path.origin).at(path), ietf=True)

    def decode(self, path: Path, body: bytes) -> Container:
        """The object that `encode` was given, also by an older program whose modules had other names.

        Raises:
            RequestError: it does not fit the models.
        """
        table = self.schemas.table(path.origin)
        renames = [rename for rename in self.schemas.renames if rename.within(path)]
        if renames:
            body = json.dumps(renamed(path, json.loads(body), renames)).encode()
        node = decode(table, resolve(table, path, write=True), body, replace=False)
        assert isinstance(node, Container)
        return node
