"""Names that the kernel and the hypervisor see, derived from what the model calls a thing.

A kernel name is its kind (two letters) and the first 11 characters of the lower-case base32 form of
sha256(instance id, newline, model path as gNMI prints it): 13 characters, fewer than a device can have.
The model path is then found again in the interface alias or in the domain's metadata.
"""

import hashlib
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid5

from twinplane_wire.path import Path, PathSyntaxError, parse

ALIAS_PREFIX = "twinplane"
LONGEST_DEVICE_NAME = 15  # bytes: IFNAMSIZ - 1 (linux/if.h)

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 section 6, in lower case
_SHIFTS = range(51, 0, -5)


class Owner(NamedTuple):
    """Whose object this is: the instance that made it and the model path it realises."""

    instance: UUID
    path: Path


def bridge_name(instance: UUID, switch: Path) -> str:
    """The bridge of a virtual switch."""
    return _kernel_name("br", instance, switch)


def tap_name(instance: UUID, vnic: Path) -> str:
    """The tap of an appliance's vNIC."""
    return _kernel_name("tp", instance, vnic)


def ifb_name(instance: UUID, vnic: Path) -> str:
    """The intermediate functional block that shapes what a vNIC's appliance sends."""
    return _kernel_name("fb", instance, vnic)


def domain_name(instance: UUID, appliance: Path) -> str:
    """The libvirt name of an appliance's domain (its title is the appliance's own name)."""
    return _kernel_name("vm", instance, appliance)


def domain_owner(instance: UUID, domain: str, path: str) -> Path | None:
    """The appliance at a path, if a domain of that name realises it. None for any other domain: the mark in
    its metadata can be copied, with all else of a definition."""
    try:
        owner = parse(path)
    except PathSyntaxError:
        return None
    return owner if domain_name(instance, owner) == domain else None


def domain_uuid(instance: UUID, appliance: Path) -> UUID:
    """The libvirt UUID of an appliance's domain."""
    return uuid5(instance, str(appliance))


def derived_mac(instance: UUID, owner: Path) -> str:
    """A stable MAC address: locally administered, unicast (IEEE 802 section 8.2)."""
    octets = bytearray(_digest(instance, owner)[-6:])
    octets[0] = (octets[0] | 0x02) & 0xFE
    return ":".join(f"{octet:02x}" for octet in octets)


def alias(instance: UUID, owner: Path) -> str:
    """The interface alias that marks a network device as ours and says which path it realises."""
    return f"{ALIAS_PREFIX}:{instance}:{owner}"


@lru_cache(maxsize=16384)  # of every device, whenever all are listed and at each of its events
def parse_alias(text: str) -> Owner | None:
    """The owner an alias names, or None where the alias is not one of Twinplane's."""
    prefix, _, rest = text.partition(":")
    instance, _, path = rest.partition(":")
    if prefix != ALIAS_PREFIX or not path.startswith("/"):
        return None
    try:
        return Owner(UUID(instance), parse(path))
    except (ValueError, PathSyntaxError):
        return None


def _kernel_name(kind: str, instance: UUID, path: Path) -> str:
    first = int.from_bytes(_digest(instance, path)[:7])  # 56 bits, of which 11 characters take 55
    return kind + "".join([_BASE32[first >> shift & 31] for shift in _SHIFTS])


@lru_cache(maxsize=256)  # the names of one object are asked for one after the other
def _digest(instance: UUID, path: Path) -> bytes:
    return hashlib.sha256(f"{instance}\n{path}".encode()).digest()
