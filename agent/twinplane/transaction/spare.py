"""What is left alone although nobody configured it: objects that a restored or an empty datastore does not
know.

The datastore says which: everything that is found at the next start and is not configured or, once that was
looked at, the paths of these objects. One that is configured is like any other from then on; `state forget`
has the agent end what is left.
"""

from collections.abc import Iterable, Mapping

from twinplane.plan.resource import Key, Noun, Resource
from twinplane.state.raised import Raised
from twinplane.transaction.collaborator import Publisher, Resources
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.object_tree import object_at
from twinplane.tree.forest import Forest
from twinplane_wire.path import Path


class Spare:
    """Used in the writer's turns only."""

    def __init__(self, store: Datastore, publisher: Publisher) -> None:
        self._store = store
        self._raised = Raised(publisher.observed)
        self._alarmed: frozenset[Path] = frozenset()

    async def without(self, facts: Resources, named: Iterable[Key], forest: Forest) -> dict[Key, Resource]:
        """The facts but for those about spared objects; what a journal row names is none.

        Raises:
            UnavailableError: which objects these are cannot be made durable.
        """
        spared = self._store.spared
        if spared is None:
            spared = unconfigured(facts, frozenset(named), forest)
            await self._store.spare(spared)
        self.settle()
        return {key: fact for key, fact in facts.items() if _object_of(fact) not in spared}

    def settle(self) -> None:
        """Raise an alarm for each spared object, and clear those of objects that are so no longer."""
        paths = self._store.spared or frozenset()
        for path in self._alarmed - paths:
            self._raised.clear(f"unconfigured {path}")
        for path in paths - self._alarmed:
            text = (
                "it exists on the host and is not configured, since the datastore was restored or lost; it "
                "is left alone: configure it, or have it removed with `twinplane-agent state forget`"
            )
            self._raised.set(f"unconfigured {path}", "UNCONFIGURED", "WARNING", text, path)
        self._alarmed = paths


def unconfigured(facts: Mapping[Key, Resource], named: frozenset[Key], forest: Forest) -> frozenset[Path]:
    """The objects that own something on the host and are not in the configuration."""
    # A link of the host is not ours to leave or to take: it is given back by what remembers its values.
    owners = {
        _object_of(fact) for key, fact in facts.items() if key not in named and key.noun is not Noun.LINK
    }
    return frozenset(
        path for path in owners if path.elems and object_at(forest.tree(path.origin), path) is None
    )


def _object_of(fact: Resource) -> Path:
    return Path(fact.owner.elems[:2], fact.owner.origin)
