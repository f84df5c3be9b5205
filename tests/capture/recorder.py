"""An operational tree that remembers every fact it was given."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from enum import Enum
from typing import Any
from uuid import UUID

from twinplane.model.host import Capabilities, Capability
from twinplane.state.facts import (
    AlarmFact,
    Batch,
    DomainFact,
    DomainGone,
    DomainUsage,
    DomainVnic,
    Fact,
    HostFact,
    LinkCounters,
    LinkFact,
    LinkGone,
    ResourceGone,
    SourceFact,
)
from twinplane.state.operational import Operational
from twinplane_wire.path import Path

# Which file a kind of fact goes to. What drivers read back of devices and guests is left out: their sources
# report the same and more.
FILES = {
    "HostFact": "host",
    "SourceFact": "host",
    "AlarmFact": "host",
    "LinkFact": "netlink",
    "Htb": "netlink",
    "Redirect": "netlink",
    "DomainFact": "hypervisor",
    "Scheduler": "hypervisor",
    "LinkCounters": "counters",
    "DomainUsage": "counters",
    "ImageFile": "files",
    "Seed": "files",
}
# Values that are of the host that captures and of no use to anybody, or that must not be kept.
CONSTANT = {"hostname": "router1", "files": ()}

KEPT: list[Fact] = []


class Recorder(Operational):
    """The product's tree; all facts in the order in which they came are in `KEPT`. (What waits for the end of
    a long pass comes here once more; the newest fact counts.)"""

    def apply(self, batch: Batch) -> None:
        KEPT.extend(batch.facts)
        super().apply(batch)

    def observed(self, facts: Sequence[Fact]) -> None:
        KEPT.extend(facts)
        super().observed(facts)

    def committed(self, changes: Any, facts: Sequence[Fact], *others: Any, **named: Any) -> None:
        KEPT.extend(facts)
        super().committed(changes, facts, *others, **named)

    async def publish(self, changes: Any, facts: Sequence[Fact], *others: Any, **named: Any) -> None:
        KEPT.extend(facts)
        await super().publish(changes, facts, *others, **named)


def capture(facts: Iterable[Fact]) -> dict[str, list[list[Any]]]:
    """The newest fact on each thing (of use: the newest two), by file, as plain JSON values."""
    newest: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        match fact:
            case LinkGone():
                for kind in ("LinkFact", "LinkCounters"):
                    newest.pop((kind, fact.name), None)
            case DomainGone():
                for kind in ("DomainFact", "DomainUsage", "Scheduler"):
                    newest.pop((kind, str(fact.owner)), None)
            case ResourceGone() | AlarmFact(cleared=True):
                newest.pop(_key(fact), None)
            case _ if type(fact).__name__ in FILES:
                kept = newest.setdefault(_key(fact), [])
                kept[:] = [*kept[-1:], fact] if isinstance(fact, DomainUsage) else [fact]
    files: dict[str, list[list[Any]]] = {}
    for key in sorted(newest):
        for fact in newest[key]:
            files.setdefault(FILES[key[0]], []).append([key[0], _plain(fact)])
    return files


def _key(fact: Fact) -> tuple[str, ...]:
    match fact:
        case HostFact():
            return ("HostFact",)
        case AlarmFact():
            return "AlarmFact", fact.id
        case LinkFact() | LinkCounters() | SourceFact():
            return type(fact).__name__, fact.name
        case DomainFact() | DomainUsage() | DomainGone():
            return type(fact).__name__, str(fact.owner)
        case ResourceGone():
            return "Gone", str(fact.key)
    # A resource that was read back: an object has one of a kind but for image files, and qdiscs of devices.
    name = getattr(fact, "file", "") or getattr(fact, "device", "")
    return type(fact).__name__, str(getattr(fact, "owner", "")), name


def _plain(value: Any) -> Any:
    match value:
        case Path() | UUID():
            return str(value)
        case Enum():
            return value.value
        case DomainVnic() | Capability():
            return [getattr(value, field.name) for field in fields(value)]
        case tuple() | list():
            return [_plain(one) for one in value]
        case Capabilities() | HostFact():
            return _fields(value)
        case _ if hasattr(value, "__dataclass_fields__"):
            return _fields(value)
    return value


def _fields(value: Any) -> dict[str, Any]:
    return {
        field.name: CONSTANT[field.name] if field.name in CONSTANT else _plain(getattr(value, field.name))
        for field in fields(value)
        if field.init
    }
