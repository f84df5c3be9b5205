"""Codecs of the types that are no numbers: string, enumeration, identityref, boolean, binary, bits, empty and
instance-identifier (RFC 7950 section 9, RFC 7951 section 6)."""

import base64
import binascii
import re
from typing import Any

from twinplane.schema.canonical import FORMS
from twinplane.schema.codec import Codec, Json, ProtoKind, shown, within
from twinplane.schema.table import TypeSpec
from twinplane.tree.node import EMPTY, Scalar

# RFC 7950 section 14, rule yang-char: control characters, surrogates and non-characters cannot occur.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def string(spec: TypeSpec) -> Codec:
    """The codec of a string type."""
    fits = within(spec.lengths) if spec.lengths else None
    too_long = spec.length_message or f"must have {_lengths(spec)} characters"
    patterns = [(re.compile(item.expression).fullmatch, item) for item in spec.patterns]
    canonical = FORMS.get(spec.canonical)

    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be a string, not {shown(value)}")
        if fits is not None and not fits(len(value)):
            raise ValueError(f"{too_long}, not {len(value)}")
        for match, item in patterns:
            if (match(value) is None) is not item.invert:
                rule = item.message or f"must {'not ' if item.invert else ''}match the pattern {item.text}"
                raise ValueError(f"{rule}; it is {shown(value)}")
        if not value.isprintable() and (found := _ILLEGAL.search(value)):
            raise ValueError(f"holds the character U+{ord(found[0]):04X}, which YANG does not allow")
        return value if canonical is None else canonical(value)

    return _of_text(parse)


def enumeration(spec: TypeSpec) -> Codec:
    """The codec of an enumeration: values are names."""
    names = frozenset(spec.enums)

    def parse(value: Any) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise ValueError(f"must be one of {', '.join(spec.enums)}, not {shown(value)}")

    return _of_text(parse)


def identityref(spec: TypeSpec) -> Codec:
    """The codec of an identityref: values are ``module:NAME``; a bare name is accepted where it is unique."""
    bare: dict[str, list[str]] = {}
    for identity in spec.identities:
        bare.setdefault(identity.partition(":")[2], []).append(identity)
    known: dict[str, str] = {name: full[0] for name, full in bare.items() if len(full) == 1}
    known.update({identity: identity for identity in spec.identities})

    def parse(value: Any) -> str:
        if isinstance(value, str) and (found := known.get(value)) is not None:
            return found
        choices = ", ".join(sorted(bare)[:8]) + (", …" if len(bare) > 8 else "")
        raise ValueError(f"must be one of {choices}, not {shown(value)}")

    codec = _of_text(parse)
    return Codec(
        parse_text=parse,
        parse_json=parse,
        parse_proto=parse,
        text=str,
        # the reference encoders send the bare name (ygot); JSON_IETF keeps the module, which is always right
        proto=lambda value: (ProtoKind.STRING, value.partition(":")[2]),
        owns=codec.owns,
        plain=lambda value: value.partition(":")[2],
        default=parse,
    )


def instance_identifier(_spec: TypeSpec) -> Codec:
    """The codec of an instance-identifier: kept as written; libyang judges what it means."""

    def parse(value: Any) -> str:
        if isinstance(value, str) and value.startswith("/"):
            return value
        raise ValueError(f"must be an instance-identifier, not {shown(value)}")

    return _of_text(parse)


def boolean(_spec: TypeSpec) -> Codec:
    """The codec of boolean."""

    def parse(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise ValueError(f"must be true or false, not {shown(value)}")

    def parse_text(text: str) -> bool:
        if text in ("true", "false"):
            return text == "true"
        raise ValueError(f"must be true or false, not {shown(text)}")

    return Codec(
        parse_text=parse_text,
        parse_json=parse,
        parse_proto=parse,
        text=lambda value: "true" if value else "false",
        proto=lambda value: (ProtoKind.BOOL, value),
        owns=lambda value: isinstance(value, bool),
        default=parse_text,
    )


def binary(spec: TypeSpec) -> Codec:
    """The codec of binary: bytes, in text forms base64."""
    fits = within(spec.lengths) if spec.lengths else None

    def parse(value: Any) -> bytes:
        if not isinstance(value, bytes):
            raise ValueError(f"must be bytes, not {shown(value)}")
        if fits is not None and not fits(len(value)):
            raise ValueError(
                f"{spec.length_message or f'must have {_lengths(spec)} bytes'}, not {len(value)}"
            )
        return value

    def parse_text(text: Json) -> bytes:
        try:
            return parse(base64.b64decode(text, validate=True))
        except (binascii.Error, TypeError):
            raise ValueError(f"must be base64 text, not {shown(text)}") from None

    def encode(value: bytes) -> str:
        return base64.b64encode(value).decode()

    return Codec(
        parse_text=parse_text,
        parse_json=parse_text,
        parse_proto=parse,
        text=encode,
        proto=lambda value: (ProtoKind.BYTES, value),
        owns=lambda value: isinstance(value, bytes),
        ietf=encode,
        plain=encode,
        default=parse_text,
    )


def bits(spec: TypeSpec) -> Codec:
    """The codec of bits: the names that are set, in order of position, with blanks between."""
    order = {name: position for position, name in enumerate(spec.bits)}

    def parse(value: Any) -> str:
        names = value.split() if isinstance(value, str) else []
        if not isinstance(value, str) or not order.keys() >= set(names) or len(set(names)) < len(names):
            raise ValueError(
                f"must be names out of {', '.join(spec.bits)} with blanks between, not {shown(value)}"
            )
        return " ".join(sorted(names, key=order.__getitem__))

    return _of_text(parse)


def empty(_spec: TypeSpec) -> Codec:
    """The codec of empty: ``[null]`` in JSON (RFC 7951 section 6.9), true under PROTO (ygot)."""

    def parse_json(value: Json) -> Scalar:
        if isinstance(value, list) and len(value) == 1 and value[0] is None:
            return EMPTY
        raise ValueError(f"must be [null], not {shown(value)}")

    def parse_proto(value: Any) -> Scalar:
        if value is True:
            return EMPTY
        raise ValueError(f"must be true, not {shown(value)}")

    def parse_text(text: str) -> Scalar:
        if text == "":
            return EMPTY
        raise ValueError(f"must be empty, not {shown(text)}")

    return Codec(
        parse_text=parse_text,
        parse_json=parse_json,
        parse_proto=parse_proto,
        text=lambda _value: "",
        proto=lambda _value: (ProtoKind.BOOL, True),
        owns=lambda value: value is EMPTY,
        ietf=lambda _value: [None],
        plain=lambda _value: [None],
        default=parse_text,
    )


def _of_text(parse: Any) -> Codec:
    """The codec of a type whose value is the same text everywhere."""

    def owns(value: Scalar) -> bool:
        try:
            return isinstance(value, str) and parse(value) == value
        except ValueError:
            return False

    return Codec(
        parse_text=parse,
        parse_json=parse,
        parse_proto=parse,
        text=str,
        proto=lambda value: (ProtoKind.STRING, value),
        owns=owns,
        default=parse,
    )


def _lengths(spec: TypeSpec) -> str:
    return " or ".join(str(low) if low == high else f"{low} to {high}" for low, high in spec.lengths)
