"""What each source reported, so that a complete batch can tell what is gone."""

from collections.abc import Iterator

from twinplane.plan.resource import (
    Bridge,
    Domain,
    Htb,
    Ifb,
    ImageFile,
    Key,
    Link,
    Plug,
    Port,
    Redirect,
    Scheduler,
    Seed,
    Tap,
)
from twinplane.state.facts import (
    AlarmFact,
    Batch,
    DomainFact,
    DomainGone,
    DomainUsage,
    Fact,
    HostFact,
    LinkCounters,
    LinkFact,
    LinkGone,
    ResourceGone,
    SourceFact,
)
from twinplane.state.translate.known import Known
from twinplane_wire.path import Path

_RESOURCES = Bridge | Domain | Htb | Ifb | ImageFile | Link | Plug | Port | Redirect | Scheduler | Seed | Tap
_PASSING = frozenset({LinkCounters, DomainUsage, HostFact, SourceFact})  # of these nothing is remembered


class Reported:
    """Turns complete batches into facts of their own for what has vanished.

    A source that reports devices, or domains, reports all of them: those that only a read-back told of are
    compared too. Polled counters go with what they count for.
    """

    def __init__(self) -> None:
        self._resources: dict[str, dict[Key, Path]] = {}
        self._alarms: dict[str, dict[str, AlarmFact]] = {}
        self._links: set[str] = set()
        self._domains: set[str] = set()

    def expand(self, batch: Batch, known: Known) -> Iterator[Fact]:
        """The facts of a batch, those about what is gone first."""
        if not batch.complete and _PASSING.issuperset(map(type, batch.facts)):
            yield from batch.facts
            return
        resources: dict[Key, Path] = {}
        alarms: dict[str, AlarmFact] = {}
        links: set[str] = set()
        domains: set[Path] = set()
        for fact in batch.facts:
            if isinstance(fact, LinkFact):
                links.add(fact.name)
            elif isinstance(fact, DomainFact):
                domains.add(fact.owner)
            elif isinstance(fact, AlarmFact):
                alarms[fact.id] = fact
            elif isinstance(fact, _RESOURCES):
                resources[fact.key] = fact.owner
        if links:
            self._links.add(batch.source)
        if domains:
            self._domains.add(batch.source)
        mine = self._resources.setdefault(batch.source, {})
        raised = self._alarms.setdefault(batch.source, {})
        if batch.complete:
            if batch.source in self._links:
                yield from [LinkGone(name) for name in known.links if name not in links]
            if batch.source in self._domains:
                yield from [
                    DomainGone(domain.name, owner)
                    for owner, domain in known.domains.items()
                    if owner not in domains
                ]
            yield from [ResourceGone(key, owner) for key, owner in mine.items() if key not in resources]
            for name, alarm in raised.items():
                if name not in alarms:
                    yield AlarmFact(alarm.id, alarm.resource, alarm.severity, alarm.text, cleared=True)
            mine.clear()
            raised.clear()
        mine.update(resources)
        raised.update(alarms)
        for fact in batch.facts:
            if isinstance(fact, ResourceGone):
                mine.pop(fact.key, None)
            yield fact
