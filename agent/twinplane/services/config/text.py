"""Datastore text: nodes to JSON_IETF or XML in pieces, and whole configurations from text."""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from twinplane.errors import Fault
from twinplane.schema import xml
from twinplane.schema.compile import Schemas
from twinplane.schema.decode import decode
from twinplane.schema.encode import encode
from twinplane.schema.resolve import Resolved, resolve
from twinplane.schema.table import SchemaNode, SchemaTable
from twinplane.services.config.wire import refused, wire_path
from twinplane.tree import edit
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.forest import Forest
from twinplane.tree.node import Node
from twinplane_wire.path import ROOT, Path
from twinplane_wire.v1 import config_pb2 as pb

PIECE = 1 << 20  # bytes of text in one message


class Encoding(Enum):
    """What text is written in, by its number on the wire."""

    JSON_IETF = pb.JSON_IETF
    XML = pb.XML


def encoding(number: int) -> Encoding:
    """The encoding a request asks for. Raises RequestError (NOT_SERVED)."""
    try:
        return Encoding(number)
    except ValueError:
        raise refused(Fault.NOT_SERVED, f"encoding {number} is not offered") from None


def written(node: Node, schema: SchemaNode, table: SchemaTable, form: Encoding) -> bytes:
    """The text of one node."""
    if form is Encoding.XML:
        return xml.encode(node, schema, table)
    return encode(node, schema, ietf=True)


def pieces(
    nodes: Iterable[tuple[Path, Node, SchemaNode, SchemaTable]], form: Encoding, revision: int
) -> Iterator[pb.DatastoreText]:
    """The messages of an answer, made one after the other."""
    for index, (path, node, schema, table) in enumerate(nodes):
        text = written(node, schema, table, form)
        for start in range(0, len(text), PIECE) if text else (0,):
            piece = pb.DatastoreText(index=index, text=text[start : start + PIECE])
            if start == 0:
                piece.path.CopyFrom(wire_path(path))
                piece.encoding = form.value
                piece.revision = revision
            yield piece


def json(
    table: SchemaTable, data: bytes, form: Encoding, *, index: int | None = None
) -> Callable[[Resolved], bytes]:
    """How a payload becomes the JSON that the schema reads, once its path is resolved."""
    if form is Encoding.XML:
        return lambda target: xml.to_json(table, target, data, index=index)
    return lambda _: data


def whole(schemas: Schemas, data: bytes, form: Encoding, running: Forest) -> Forest:
    """A whole configuration of the default origin; other origins stay as they are in `running`.

    Raises:
        RequestError: whatever is wrong with the text.
    """
    table = schemas.default
    target = resolve(table, ROOT, write=True)
    root = decode(table, target, json(table, data, form)(target), replace=True)
    # As an edit, so that what is empty in the text is not there afterwards.
    made = (Edit(Operation.REPLACE, ROOT, root),)
    tree = edit.apply(running.tree(), made, presence=table.presence, ordered=table.ordered)
    return Forest({**running.trees, "": tree})
