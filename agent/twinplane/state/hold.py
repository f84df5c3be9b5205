"""Event facts that wait until the transaction that works on their objects is through."""

from twinplane.plan.resource import Key, Noun
from twinplane.state.facts import (
    AlarmFact,
    Batch,
    DomainUsage,
    Fact,
    HostFact,
    LinkCounters,
    LinkFact,
    LinkGone,
    SourceFact,
)
from twinplane.state.translate.known import Known
from twinplane_wire.path import Path

_DEVICES = (Noun.BRIDGE, Noun.TAP, Noun.IFB, Noun.PORT, Noun.LINK)


class Hold:
    """Which objects are held, and what was held back, in order of arrival.

    Devices are told by kernel name as well: the event of a device just made comes before its mark.
    """

    def __init__(self, keys: frozenset[Key], owners: frozenset[Path]) -> None:
        self._objects = {Path(owner.elems[:2], owner.origin) for owner in owners}
        self._devices = {key.name for key in keys if key.noun in _DEVICES}
        self._kept: list[Batch] = []

    def keep(self, batch: Batch, known: Known) -> Batch:
        """Hold back what concerns the objects; gives the rest. A complete batch waits as a whole."""
        if batch.complete:
            self._kept.append(batch)
            return Batch(batch.source, ())
        held = tuple(fact for fact in batch.facts if self._concerns(fact, known))
        if not held:
            return batch
        self._kept.append(Batch(batch.source, held))
        return Batch(batch.source, tuple(fact for fact in batch.facts if fact not in held))

    def take(self) -> list[Batch]:
        """What was held back up to now; it is kept no longer."""
        kept, self._kept = self._kept, []
        return kept

    def _concerns(self, fact: Fact, known: Known) -> bool:
        match fact:
            case LinkCounters() | DomainUsage() | HostFact() | SourceFact() | AlarmFact():
                return False
            case LinkFact(name=name, owner=owner):
                return name in self._devices or self._holds(owner)
            case LinkGone(name):
                link = known.links.get(name)
                return name in self._devices or (link is not None and self._holds(link.owner))
            case _:
                return self._holds(fact.owner)

    def _holds(self, owner: Path | None) -> bool:
        return owner is not None and Path(owner.elems[:2], owner.origin) in self._objects
