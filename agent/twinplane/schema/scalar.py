"""Leaf values: typed Python value ↔ JSON value, PROTO scalar and key text, for every YANG type."""

import functools
from collections.abc import Callable
from typing import Any

import orjson

from twinplane.schema import number, textual
from twinplane.schema.codec import Codec, ProtoKind
from twinplane.schema.table import SchemaNode, TypeSpec
from twinplane.tree.node import Scalar

_CODECS: dict[str, Callable[[TypeSpec], Codec]] = {
    **dict.fromkeys(number.INTEGERS, number.integer),
    "decimal64": number.decimal64,
    "string": textual.string,
    "enumeration": textual.enumeration,
    "identityref": textual.identityref,
    "instance-identifier": textual.instance_identifier,
    "boolean": textual.boolean,
    "binary": textual.binary,
    "bits": textual.bits,
    "empty": textual.empty,
}


@functools.cache
def codec(spec: TypeSpec) -> Codec:
    """The codec of a type. One is made for each type and kept: types live as long as their table."""
    if spec.base == "leafref":
        return codec(spec.members[0])
    if spec.base == "union":
        return _union(tuple(codec(member) for member in spec.members))
    return _CODECS[spec.base](spec)


def codec_of(node: SchemaNode) -> Codec:
    """The codec of a leaf's or leaf-list's type; for anything else KeyError."""
    if node.type is None:
        raise KeyError(f"/{'/'.join(node.path)} is no leaf")
    return codec(node.type)


def key_text(node: SchemaNode, value: Scalar) -> str:
    """The canonical text of a key leaf's value, as it stands in paths and in `Entries`."""
    return codec_of(node).text(value)


def proto(node: SchemaNode, value: Scalar) -> tuple[ProtoKind, Any]:
    """What a gNMI TypedValue holds for a leaf's value (or for one member of a leaf-list): field and value."""
    return codec_of(node).proto(value)


def json_value(node: SchemaNode, value: Scalar, *, ietf: bool) -> bytes:
    """The JSON text of one leaf's value (or of one member of a leaf-list)."""
    form = codec_of(node)
    convert = form.ietf if ietf else form.plain
    return orjson.dumps(convert(value) if convert else value)


def _union(members: tuple[Codec, ...]) -> Codec:
    """A union: the first member that accepts a value owns it (RFC 7950 section 9.12)."""

    def first(read: str) -> Callable[[Any], Scalar]:
        readers = [getattr(member, read) for member in members]

        def parse(value: Any) -> Scalar:
            refusals = []
            for reader in readers:
                try:
                    return reader(value)  # type: ignore[no-any-return]
                except ValueError as error:
                    refusals.append(str(error))
            raise ValueError("fits no member of the union: " + "; ".join(refusals))

        return parse

    def owner(value: Scalar) -> Codec:
        for member in members:
            if member.owns(value):
                return member
        return members[-1]

    def convert(form: str) -> Callable[[Scalar], Any] | None:
        if all(getattr(member, form) is None for member in members):
            return None

        def to_json(value: Scalar) -> Any:
            converter = getattr(owner(value), form)
            return converter(value) if converter else value

        return to_json

    return Codec(
        parse_text=first("parse_text"),
        parse_json=first("parse_json"),
        parse_proto=first("parse_proto"),
        text=lambda value: owner(value).text(value),
        proto=lambda value: owner(value).proto(value),
        owns=lambda value: any(member.owns(value) for member in members),
        ietf=convert("ietf"),
        plain=convert("plain"),
        default=first("default"),
    )
