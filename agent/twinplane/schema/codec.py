"""What a codec of one YANG type is, and the parts that several types share."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from twinplane.tree.node import Scalar

Json: TypeAlias = Any


class ProtoKind(Enum):
    """Which scalar field of a gNMI TypedValue carries a value (gNMI 2.2.3)."""

    INT = "int"
    UINT = "uint"
    STRING = "string"
    BOOL = "bool"
    BYTES = "bytes"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True)
class Codec:
    """The forms of one type. All functions that read raise ValueError with the constraint that is broken.

    `parse_text` reads the form of path keys, `parse_json` what JSON and JSON_IETF hold (both forms of 64-bit
    numbers), `parse_proto` a Python value out of a TypedValue, `default` the form of schema defaults.
    `ietf` and `plain` give the value for a JSON document, and are None where it is the value itself; `text`
    gives the key form, `proto` the value and its field. `owns` says whether a canonical value is of the type.
    """

    parse_text: Callable[[str], Scalar]
    parse_json: Callable[[Json], Scalar]
    parse_proto: Callable[[Any], Scalar]
    text: Callable[[Any], str]
    proto: Callable[[Any], tuple[ProtoKind, Any]]
    owns: Callable[[Scalar], bool]
    ietf: Callable[[Any], Json] | None = None
    plain: Callable[[Any], Json] | None = None
    default: Callable[[str], Scalar] = lambda text: text


def shown(value: object) -> str:
    """A value in an error message, as a client writes it, cut where it is long."""
    if value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else f"{text[:50]}…{text[-8:]}"


def within(intervals: tuple[tuple[int, int], ...]) -> Callable[[int], bool]:
    """The test whether a number lies in one of the closed intervals."""
    if len(intervals) == 1:
        low, high = intervals[0]
        return lambda value: low <= value <= high
    return lambda value: any(low <= value <= high for low, high in intervals)
