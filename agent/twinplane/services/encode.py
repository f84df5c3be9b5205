"""gNMI messages as bytes, joined from parts: what leaves the agent often or in bulk.

A protobuf message is a row of fields, so a part encoded once fits unchanged into any message around it. Every
function gives the *content* of a message; `field` puts it into the one around it. The generated modules
remain the reference: the tests parse what is made here with them.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from twinplane.schema.codec import ProtoKind
from twinplane_wire.path import Elem

# Field tags: number << 3 | wire type (0 varint, 1 eight bytes, 2 length-delimited).
PATH_ORIGIN, PATH_ELEM, PATH_TARGET = b"\x12", b"\x1a", b"\x22"
ELEM_NAME, ELEM_KEY, KEY_NAME, KEY_VALUE = b"\x0a", b"\x12", b"\x0a", b"\x12"
STRING, INT, UINT, BOOL, BYTES, LEAF_LIST = b"\x0a", b"\x10", b"\x18", b"\x20", b"\x2a", b"\x42"
JSON, JSON_IETF, DOUBLE = b"\x52", b"\x5a", b"\x71"
ARRAY_ELEMENT = b"\x0a"
UPDATE_PATH, UPDATE_VAL, UPDATE_DUPLICATES = b"\x0a", b"\x1a", b"\x20"
TIMESTAMP, PREFIX, UPDATE, DELETE, ATOMIC = b"\x08", b"\x12", b"\x22", b"\x2a", b"\x30"
GET_NOTIFICATION = b"\x0a"
SUBSCRIBE_UPDATE = b"\x0a"
SYNC_RESPONSE = b"\x18\x01"  # a whole SubscribeResponse


def varint(number: int) -> bytes:
    """A number of 0 to 2^64-1 in base 128, least significant group first."""
    if number < _TWO_GROUPS:
        return _LAST[number]
    return _MORE[number % _TWO_GROUPS] + varint(number // _TWO_GROUPS)


# Two groups at a time: counters have four or five, and every leaf has several lengths.
_TWO_GROUPS = 1 << 14
_MORE = tuple(bytes((low | 0x80, high | 0x80)) for high in range(0x80) for low in range(0x80))
_LAST = (
    *(bytes((number,)) for number in range(0x80)),
    *(bytes((number & 0x7F | 0x80, number >> 7)) for number in range(0x80, _TWO_GROUPS)),
)


def field(tag: bytes, *parts: bytes) -> bytes:
    """A length-delimited field whose content is the parts, one after the other."""
    return b"".join((tag, varint(sum(map(len, parts))), *parts))


def path(elems: Iterable[Elem], origin: str = "", target: str = "") -> bytes:
    """A Path."""
    parts = [field(PATH_ORIGIN, origin.encode())] if origin else []
    parts += map(_elem, elems)
    if target:
        parts.append(field(PATH_TARGET, target.encode()))
    return b"".join(parts)


@lru_cache(maxsize=16384)
def _elem(elem: Elem) -> bytes:
    keys = (
        field(ELEM_KEY, field(KEY_NAME, name.encode()), field(KEY_VALUE, value.encode()))
        for name, value in elem.keys
    )
    return field(PATH_ELEM, field(ELEM_NAME, elem.name.encode()), *keys)


def uint(value: int) -> bytes:
    """A TypedValue for encoding PROTO of a number without sign."""
    return UINT + varint(value)


def scalar(kind: ProtoKind, value: Any) -> bytes:
    """A TypedValue for encoding PROTO: the value in the field of its kind (gNMI 2.2.3)."""
    match kind:
        case ProtoKind.UINT:
            return uint(value)
        case ProtoKind.STRING:
            return field(STRING, value.encode())
        case ProtoKind.INT:
            return INT + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        case ProtoKind.BOOL:
            return BOOL + varint(value)
        case ProtoKind.BYTES:
            return field(BYTES, value)
        case ProtoKind.DOUBLE:
            return DOUBLE + struct.pack("<d", value)
    raise AssertionError(kind)


def leaf_list(values: Sequence[bytes]) -> bytes:
    """A TypedValue of the TypedValues given."""
    return field(LEAF_LIST, *(field(ARRAY_ELEMENT, value) for value in values))


def json(text: bytes, *, ietf: bool) -> bytes:
    """A TypedValue that holds JSON text."""
    return field(JSON_IETF if ietf else JSON, text)


def update(path_content: bytes, value: bytes, duplicates: int = 0) -> bytes:
    """An Update."""
    counted = UPDATE_DUPLICATES + varint(duplicates) if duplicates else b""
    return field(UPDATE_PATH, path_content) + field(UPDATE_VAL, value) + counted


def update_fields(above: bytes, leaves: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Updates as `update` fields of a Notification: of each leaf the rest of its path below `above` and its
    value."""
    made: list[bytes] = []
    for below, value in leaves:
        where = varint(len(above) + len(below))
        size = varint(len(value))
        whole = varint(2 + len(where) + len(above) + len(below) + len(size) + len(value))
        made.append(b"".join((UPDATE, whole, UPDATE_PATH, where, above, below, UPDATE_VAL, size, value)))
    return made


def with_duplicates(update_field: bytes, count: int) -> bytes:
    """A complete `update` field of a Notification with its `duplicates` set to `count`."""
    start = 1
    while update_field[start] & 0x80:
        start += 1
    return field(UPDATE, update_field[start + 1 :], UPDATE_DUPLICATES, varint(count))


def notification(
    timestamp: int,
    prefix: bytes = b"",
    updates: Iterable[bytes] = (),
    deletes: Iterable[bytes] = (),
    *,
    atomic: bool = False,
) -> bytes:
    """A Notification of encoded Updates and encoded Paths to delete; an empty prefix is left out."""
    parts = [TIMESTAMP, varint(timestamp)]
    if prefix:
        parts.append(field(PREFIX, prefix))
    parts += [field(UPDATE, content) for content in updates]
    parts += [field(DELETE, content) for content in deletes]
    if atomic:
        parts.append(ATOMIC + b"\x01")
    return b"".join(parts)
