"""Codecs of the numeric types: the eight integers and decimal64 (RFC 7950 sections 9.2 and 9.3)."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from twinplane.schema.codec import Codec, Json, ProtoKind, shown, within
from twinplane.schema.table import TypeSpec

INTEGERS = {
    f"{sign}int{bits}": (0 if sign else -(2 ** (bits - 1)), 2 ** (bits if sign else bits - 1) - 1)
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


def integer(spec: TypeSpec) -> Codec:
    """The codec of an integer type."""
    fits = within(spec.ranges)
    bounds = f"must be {_intervals(spec.ranges, str)}"
    expected = spec.range_message or bounds
    low, high = INTEGERS[spec.base]
    wide = spec.base in ("int64", "uint64")
    kind = ProtoKind.UINT if spec.base.startswith("u") else ProtoKind.INT

    def checked(value: int) -> int:
        if not fits(value):
            # What a module says of its range ("at least 68") need not be true of what no such integer can be.
            said = expected if low <= value <= high else bounds
            raise ValueError(f"{said}, not {shown(value)}")
        return value

    def parse_text(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError(f"must be a whole number ({spec.base}), not {shown(text)}")
        return checked(int(text))

    def parse_json(value: Json) -> int:
        if type(value) is int:
            return checked(value)
        if isinstance(value, str) and wide:
            return parse_text(value)
        # JSON has one kind of number: 1.5e3 is a whole one. No arithmetic before it is known to be small.
        if isinstance(value, Decimal) and -(2**64) < value < 2**64 and value == value.to_integral_value():
            return checked(int(value))
        raise ValueError(f"must be a whole number ({spec.base}), not {shown(value)}")

    def parse_proto(value: Any) -> int:
        if type(value) is int:
            return checked(value)
        raise ValueError(f"must be a whole number ({spec.base}), not {shown(value)}")

    return Codec(
        parse_text=parse_text,
        parse_json=parse_json,
        parse_proto=parse_proto,
        text=str,
        proto=lambda value: (kind, value),
        owns=lambda value: type(value) is int and fits(value),
        ietf=str if wide else None,
        # RFC 7950 section 9.2.1: hexadecimal and octal are for defaults in modules only
        default=lambda text: int(text, 8 if re.fullmatch(r"[+-]?0[0-7]+", text) else 0),
    )


def decimal64(spec: TypeSpec) -> Codec:
    """The codec of a decimal64 type; values carry no needless zeros."""
    fits = within(spec.ranges)
    digits = spec.fraction_digits
    expected = (
        spec.range_message
        or f"must be {_intervals(spec.ranges, lambda value: _text(_unscaled(value, digits)))}"
    )

    def checked(value: Decimal) -> Decimal:
        try:
            number = scaled(value, digits)
        except ValueError:
            raise ValueError(f"must have at most {digits} fraction digits, not {shown(str(value))}") from None
        if not fits(number):
            raise ValueError(f"{expected}, not {shown(str(value))}")
        return _unscaled(number, digits)

    def parse_text(text: str) -> Decimal:
        if not _DECIMAL.fullmatch(text):
            raise ValueError(f"must be a decimal number, not {shown(text)}")
        return checked(Decimal(text))

    def parse_json(value: Json) -> Decimal:
        if isinstance(value, str):
            return parse_text(value)
        if type(value) is int or isinstance(value, Decimal):
            return checked(Decimal(value))
        raise ValueError(f"must be a decimal number, not {shown(value)}")

    def parse_proto(value: Any) -> Decimal:
        if isinstance(value, float):
            # a double cannot hold most decimal fractions: it stands for the shortest text that reads as it
            value = Decimal(repr(value)) if abs(value) < 2**64 else value
        if isinstance(value, Decimal) or type(value) is int:
            return checked(_rounded(Decimal(value), digits))
        raise ValueError(f"must be a decimal number, not {shown(value)}")

    return Codec(
        parse_text=parse_text,
        parse_json=parse_json,
        parse_proto=parse_proto,
        text=_text,
        proto=lambda value: (ProtoKind.DOUBLE, float(value)),
        owns=lambda value: isinstance(value, Decimal),
        ietf=_text,
        plain=lambda value: orjson.Fragment(_text(value)),
        default=parse_text,
    )


def scaled(value: str | Decimal, digits: int) -> int:
    """A number times ten to the `digits`. Raises ValueError where that is no whole number."""
    try:
        sign, figures, exponent = Decimal(value).as_tuple()
    except InvalidOperation:
        raise ValueError(f"{value} is no number") from None
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number")
    shift = exponent + digits
    if shift > 40:
        raise ValueError("far too large")
    number: int = int("".join(map(str, figures)) or "0")
    if shift < 0:
        number, rest = divmod(number, 10 ** min(-shift, 4000))
        if rest:
            raise ValueError("too many fraction digits")
    else:
        number *= 10**shift
    return -number if sign else number


def _unscaled(number: int, digits: int) -> Decimal:
    sign, figures = (1 if number < 0 else 0), str(abs(number))
    whole, fraction = figures[:-digits] or "0", figures[-digits:].rjust(digits, "0").rstrip("0") or "0"
    return Decimal((sign, tuple(map(int, whole + fraction)), -len(fraction)))


def _rounded(value: Decimal, digits: int) -> Decimal:
    _, figures, exponent = value.as_tuple()
    if isinstance(exponent, int) and exponent < -digits and len(figures) >= 15:
        # digits beyond what a double carries are an artefact of the double
        return value.quantize(Decimal((0, (1,), -digits)))
    return value


def _text(value: Decimal) -> str:
    return format(value, "f")


def _intervals(intervals: tuple[tuple[int, int], ...], show: Callable[[int], str]) -> str:
    return " or ".join(
        f"{show(low)}" if low == high else f"in {show(low)}..{show(high)}" for low, high in intervals
    )
