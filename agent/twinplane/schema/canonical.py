"""Canonical forms of types that RFC 6991 defines: one spelling for what has several."""

from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_network


def _lower(text: str) -> str:
    return text.lower()


def _ipv6(text: str) -> str:
    """RFC 5952; a zone stays as it is."""
    written, mark, zone = text.partition("%")
    address = IPv6Address(written)
    mapped = address.ipv4_mapped
    return (str(address) if mapped is None else f"::ffff:{mapped}") + mark + zone


def _prefix(text: str) -> str:
    """The bits behind the prefix are zero."""
    return str(ip_network(text, strict=False))


FORMS: Mapping[str, Callable[[str], str]] = {
    "ipv6-address": _ipv6,
    "ipv6-address-no-zone": _ipv6,
    "ipv6-prefix": _prefix,
    "ipv4-prefix": _prefix,
    "domain-name": _lower,
    "mac-address": _lower,
    "phys-address": _lower,
    "hex-string": _lower,
    "uuid": _lower,
}
"""By typedef; each function may raise ValueError for what is no such value."""
