"""Objects whose children are texts, for tests of the datastore that need no schema."""

import json

from twinplane.transaction.record import Commit
from twinplane.tree.diff import ObjectChange
from twinplane.tree.node import Container
from twinplane_wire.path import Path, parse


class Texts:
    """A codec for objects whose children are texts."""

    def encode(self, path: Path, node: Container) -> bytes:
        return json.dumps(dict(node.children)).encode()

    def decode(self, path: Path, body: bytes) -> Container:
        found = json.loads(body)
        if "refused" in found:
            raise ValueError("not of these modules")
        return Container(found)


def change(path: str, before: dict[str, str] | None, after: dict[str, str] | None) -> ObjectChange:
    nodes = [None if value is None else Container(value) for value in (before, after)]
    return ObjectChange(parse(path), *nodes)


def commit(number: int) -> Commit:
    return Commit(number, 1000 + number, "admin", "gnmi", "ipv4:192.0.2.1:4711", "why")
