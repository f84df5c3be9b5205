"""Whose a network device is: the interface alias carries instance and model path."""

from typing import NamedTuple
from uuid import UUID

from twinplane.model.names import parse_alias
from twinplane.netlink.link import LinkRow
from twinplane.plan.resource import Found, Ownership
from twinplane_wire.path import ROOT, Path


class Mark(NamedTuple):
    """What the alias of a device says. `owner` is ROOT where the device is not marked by this instance."""

    ownership: Ownership
    owner: Path


def read_mark(link: LinkRow, instance: UUID) -> Mark:
    """OWN for a device that this instance marked, FOREIGN for one that bears anything else as alias, and
    ABSENT for one without any alias: it belongs to somebody else, or was made by this instance and not
    marked before a crash (then the journal names it)."""
    if not link.alias:
        return Mark(Ownership.ABSENT, ROOT)
    owner = parse_alias(link.alias)
    if owner is None or owner.instance != instance:
        return Mark(Ownership.FOREIGN, ROOT)
    return Mark(Ownership.OWN, owner.path)


def foreign(link: LinkRow) -> Found:
    """The answer to the question what stands under the name of a device that is not ours."""
    alias = f', alias "{link.alias}"' if link.alias else ""
    what = f"{link.kind or 'a device'} {link.name} of another owner"
    return Found(Ownership.FOREIGN, description=f"{what} (index {link.index}{alias})")
