"""What of an agent's work is still there when a part of its state is not: the proof that there was something.

A state directory is new when it holds nothing that only a start could have put there. Where it does, a
missing part is lost; what nobody asked for must not follow from that.
"""

import logging
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from twinplane.errors import DriverError, StartError
from twinplane.model.names import parse_alias
from twinplane.netlink.connection import Connection as Netlink
from twinplane.plan.appliance.domain_xml import NAMESPACE

log = logging.getLogger(__name__)

COMMANDS = (
    "`twinplane-agent state show` says what is left; `state restore` puts a copy of the database in place, "
    "`state adopt` goes on without it and leaves what runs alone, `state forget` begins with nothing and "
    "ends it"
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A guest as libvirt keeps it: the file, and what its mark says."""

    file: Path
    instance: UUID | None
    path: str


@dataclass(frozen=True, slots=True)
class Device:
    """A network device that bears a mark: its name, and what the mark says."""

    name: str
    instance: UUID
    path: str


def is_held(file: Path) -> bool:
    """Whether a file is there and holds anything. (SQLite drops the log beside a database of no bytes.)"""
    return file.exists() and file.stat().st_size > 0


def proofs(root: Path) -> tuple[str, ...]:
    """What only an agent that worked here can have left, besides database and instance id."""
    counted = (
        (len(definitions(root)), "definition of a guest", "definitions of guests"),
        (len(_visible(root / "appliances")), "folder in appliances/", "folders in appliances/"),
        (len(_visible(root / "images")), "folder in images/", "folders in images/"),
        (len(tuple((root / "copies").glob("*.db"))), "copy of the database", "copies of the database"),
    )
    found = ("VERSION",) if (root / "VERSION").exists() else ()
    return (*found, *(f"{count} {one if count == 1 else many}" for count, one, many in counted if count))


def lost(root: Path) -> tuple[str, ...]:
    """What is missing of a state directory that was in use; nothing, where it is whole or new."""
    shown, has_database = proofs(root), is_held(root / "twinplane.db")
    missing = []
    if shown and not has_database:
        missing.append("twinplane.db (the configuration and its history)")
    if (shown or has_database) and not is_held(root / "instance-id"):
        missing.append("instance-id (own objects are recognised by it)")
    if "VERSION" in shown and not is_held(root / "users.toml"):
        missing.append("users.toml (users, roles and revoked certificates)")
    return tuple(missing)


def require_whole(root: Path) -> None:
    """Refuse a state directory that lost something; looks only.

    Raises:
        StartError: says what is missing, what shows that it was there, and how to go on.
    """
    missing = lost(root)
    if not missing:
        return
    shown = list(proofs(root))
    if is_held(root / "twinplane.db"):
        shown.append(str(root / "twinplane.db"))
    remedy = COMMANDS
    if missing[0].startswith("users"):
        remedy = (
            "restore it from a backup, or write a new one with `twinplane-agent user add NAME --role admin` "
            "(then revoke again what was revoked)"
        )
    what, why = " and ".join(missing), ", ".join(shown)
    raise StartError(
        f"state directory {root} lacks {what}, though an agent worked here: {why}; nothing was touched; "
        f"{remedy}"
    )


def definitions(root: Path) -> tuple[Definition, ...]:
    """The guests of ours that embedded libvirt has definitions of."""
    read = ((file, _mark(file)) for file in sorted((root / "libvirt/etc/qemu").glob("*.xml")))
    return tuple(Definition(file, *mark) for file, mark in read if mark is not None)


async def devices() -> tuple[Device, ...]:
    """The network devices of this namespace that bear a mark, of whatever instance; none where they cannot be
    read."""
    try:
        async with Netlink() as netlink:
            links = await netlink.links()
    except (DriverError, OSError):
        return ()
    marked = ((link.name, parse_alias(link.alias)) for link in links if link.alias)
    return tuple(Device(name, owner.instance, str(owner.path)) for name, owner in marked if owner)


async def require_unmarked(root: Path, instance: UUID) -> None:
    """Refuse a state directory that looks new while devices on the host are marked as its own.

    Raises:
        StartError: says which, and how to go on.
    """
    found = await devices()
    if others := instances(found) - {instance}:
        log.warning(
            "devices on the host are marked by other instances (%s) and left alone; if one of them had this "
            "state directory, %s, restore that from a backup",
            ", ".join(sorted(map(str, others))),
            root,
        )
    ours = [device.name for device in found if device.instance == instance]
    if ours:
        raise StartError(
            f"state directory {root} holds no database, though devices of its instance are on the host: "
            f"{', '.join(ours[:5])}{' and more' if len(ours) > 5 else ''}; nothing was touched; {COMMANDS}"
        )


def instances(found: Iterable[Definition | Device]) -> frozenset[UUID]:
    """The instances that marks speak of."""
    return frozenset(one.instance for one in found if one.instance is not None)


def _mark(file: Path) -> tuple[UUID | None, str] | None:
    """Whose definition it is and of what; a file that says neither may be somebody else's, one that cannot be
    read is taken for ours."""
    try:
        mark = ElementTree.parse(file).getroot().find(f"metadata/{{{NAMESPACE}}}*")
        return None if mark is None else (UUID(mark.get("instance")), mark.get("path", ""))
    except (ElementTree.ParseError, OSError, ValueError):
        return (None, "")


def _visible(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if not one.name.startswith(".")]
    except OSError:
        return []
