"""Python values to and from TypedValue: scalars, leaf-lists, JSON.

=============== ==================== =====================================================
YANG            field under PROTO    Python
=============== ==================== =====================================================
signed integer  int_val              int
unsigned        uint_val             int, with `unsigned=True`
boolean, empty  bool_val             bool
binary          bytes_val            bytes
decimal64       double_val           Decimal or float out; float (or Decimal) in
leaf-list       leaflist_val         tuple
all others      string_val           str
=============== ==================== =====================================================
"""

import json
import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from twinplane_wire.gnmi import gnmi_pb2

Scalar: TypeAlias = str | int | bool | bytes | float | Decimal
DECIMAL_DIGITS = 18  # fraction digits a decimal64 has at most (RFC 7950 section 9.3.4)

Value: TypeAlias = Scalar | Sequence["Value"] | Mapping[str, "Value"] | None


class ValueFormError(ValueError):
    """A TypedValue that holds nothing, or holds what is not what it says (JSON that is no JSON)."""


def scalar(value: Scalar, *, unsigned: bool = False) -> gnmi_pb2.TypedValue:
    """The TypedValue of one scalar; `unsigned` tells the YANG type of an integer, which its value cannot."""
    match value:
        case bool():
            return gnmi_pb2.TypedValue(bool_val=value)
        case int() if unsigned:
            return gnmi_pb2.TypedValue(uint_val=value)
        case int():
            return gnmi_pb2.TypedValue(int_val=value)
        case str():
            return gnmi_pb2.TypedValue(string_val=value)
        case bytes():
            return gnmi_pb2.TypedValue(bytes_val=value)
        case _:
            return gnmi_pb2.TypedValue(double_val=float(value))


def leaf_list(values: Sequence[gnmi_pb2.TypedValue]) -> gnmi_pb2.TypedValue:
    """The TypedValue of a leaf-list."""
    return gnmi_pb2.TypedValue(leaflist_val=gnmi_pb2.ScalarArray(element=values))


def python(typed: gnmi_pb2.TypedValue) -> Value:
    """The Python value of any TypedValue; JSON is parsed, a leaf-list becomes a tuple.

    Raises:
        ValueFormError: no field is set, JSON does not parse, a decimal has too many digits, or the field has
            no Python form (any_val).
    """
    field = typed.WhichOneof("value")
    match field:
        case "string_val" | "int_val" | "uint_val" | "bool_val" | "bytes_val" | "double_val":
            value: Scalar = getattr(typed, field)
            return value
        case "float_val":
            return _single(typed.float_val)
        case "ascii_val":
            return typed.ascii_val
        case "proto_bytes":
            return typed.proto_bytes
        case "decimal_val":
            if typed.decimal_val.precision > DECIMAL_DIGITS:
                raise ValueFormError(f"decimal_val has a precision above {DECIMAL_DIGITS}")
            return Decimal(typed.decimal_val.digits).scaleb(-typed.decimal_val.precision)
        case "leaflist_val":
            return tuple(python(element) for element in typed.leaflist_val.element)
        case "json_val" | "json_ietf_val":
            return parse_json(getattr(typed, field))
        case _:
            raise ValueFormError(f"a value without content ({field or 'no field set'})")


def _single(value: float) -> float:
    """The number of the shortest text that stands for this single-precision one: 0.1, not 0.10000000149."""
    for digits in range(1, 9):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", value):
            return short
    return value


def parse_json(text: bytes) -> Value:
    """Parse JSON strictly: no NaN, no Infinity, valid UTF-8.

    Raises:
        ValueFormError: with the position.
    """
    try:
        value: Value = json.loads(text.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueFormError(f"not JSON: {error}") from error
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
