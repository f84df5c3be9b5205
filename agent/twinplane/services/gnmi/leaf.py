"""Leaves as bytes: each an Update of its own, for PROTO everywhere and for every encoding in Subscribe."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cache
from typing import Any

from twinplane.schema.compile import Schemas
from twinplane.schema.json_ietf import encode as json_text
from twinplane.schema.scalar import codec_of
from twinplane.schema.table import NodeKind, SchemaNode
from twinplane.services import encode
from twinplane.services.codec import Encoding
from twinplane.subscribe.encode import PREFIX_DEPTH
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane_wire.path import Elem, Path

_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")


def proto_leaves(node: Node, schema: SchemaNode, path: bytes) -> Iterator[tuple[bytes, SchemaNode, bytes]]:
    """Every leaf at or below a node as (encoded Path, schema, encoded TypedValue); `path` is the node's.

    Entries of a list without keys have no paths, and so nothing of them is among these.
    """
    if isinstance(node, Container):
        for name, child in node.children.items():
            below = schema.children[name]
            if isinstance(child, Entries):
                for key, entry in child.entries.items() if child.key_names else ():
                    elem = Elem(name, tuple(zip(child.key_names, key, strict=True)))
                    yield from proto_leaves(entry, below, path + encode.path((elem,)))
            else:
                yield from proto_leaves(child, below, path + encode.path((Elem(name),)))
    elif not isinstance(node, Entries):
        yield path, schema, leaf_value(node, schema, Encoding.PROTO)


def leaf_value(value: Leaf, schema: SchemaNode, encoding: Encoding) -> bytes:
    """The encoded TypedValue of a leaf or leaf-list."""
    return _writer(schema, encoding)(value)


@cache
def _writer(schema: SchemaNode, encoding: Encoding) -> Callable[[Any], bytes]:
    if encoding is not Encoding.PROTO:
        ietf = encoding is Encoding.JSON_IETF
        return lambda value: encode.json(json_text(value, schema, ietf=ietf), ietf=ietf)
    proto = codec_of(schema).proto
    if schema.kind is NodeKind.LEAF and schema.type is not None and schema.type.base in _UNSIGNED:
        return encode.uint  # nearly all that is sampled
    if schema.kind is NodeKind.LEAF_LIST:
        return lambda values: encode.leaf_list([encode.scalar(*proto(value)) for value in values])
    return lambda value: encode.scalar(*proto(value))


@cache
def _forms(schema: SchemaNode, encoding: Encoding) -> dict[str, tuple[bytes, Callable[[Any], bytes]]]:
    """By name of each leaf of a container: the encoded element, and what writes its value."""
    return {
        name: (encode.path((Elem(name),)), _writer(leaf, encoding))
        for name, leaf in schema.children.items()
        if leaf.is_leaf
    }


class LeafEncoder:
    """What the subscribe room calls to turn leaves into complete `update` fields of a Notification."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def __call__(
        self,
        container: Path,
        leaves: Sequence[tuple[str, Leaf]],
        encoding: Hashable,
        depth: int = PREFIX_DEPTH,
    ) -> Sequence[bytes]:
        """One `update` field for each leaf of a container; its path lacks the part that the prefix has."""
        assert isinstance(encoding, Encoding)
        forms = _forms(self._schemas.table(container.origin).at(container), encoding)
        above = encode.path(container.elems[depth:])
        if len(container.elems) < depth:
            return encode.update_fields(above, [(b"", forms[name][1](value)) for name, value in leaves])
        return encode.update_fields(
            above, [((form := forms[name])[0], form[1](value)) for name, value in leaves]
        )
