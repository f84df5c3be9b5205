"""The trees of all origins as one value: what is configured, and what a transaction makes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from twinplane.tree.diff import ObjectChange, diff
from twinplane.tree.draft import Draft
from twinplane.tree.node import EMPTY_ROOT, Container

_BARE: Mapping[str, Container] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A tree for each origin that has data ("" is the default origin), and the text that clients keep with
    the whole (schema/annotation.py)."""

    trees: Mapping[str, Container] = field(default_factory=lambda: _BARE)
    annotation: str = ""

    def tree(self, origin: str = "") -> Container:
        """The tree of an origin, empty where it has none."""
        return self.trees.get(origin, EMPTY_ROOT)

    def changed(self, changes: Iterable[ObjectChange]) -> "Forest":
        """The forest after these objects changed (their `before` is not looked at)."""
        drafts: dict[str, Draft] = {}
        for change in changes:
            origin = change.path.origin
            draft = drafts.setdefault(origin, Draft(self.tree(origin)))
            loose = len(change.path.elems) == 1  # leaves of a top-level container, among objects
            for name in change.before.children if loose and change.before is not None else ():
                draft.remove(change.path.child(name))
            if change.after is None:
                if not loose:
                    draft.remove(change.path)
            elif loose:
                for name, leaf in change.after.children.items():
                    draft.put(change.path.child(name), leaf)
            else:
                draft.put(change.path, change.after)
        trees = {origin: draft.freeze() for origin, draft in drafts.items()}
        return Forest({**self.trees, **trees}, self.annotation)


NOTHING = Forest()


def changes(old: Forest, new: Forest) -> tuple[ObjectChange, ...]:
    """The objects that differ, origin by origin, in path order; costs what was rebuilt."""
    origins = dict.fromkeys((*old.trees, *new.trees))
    return tuple(
        chain.from_iterable(
            diff(old.tree(origin), new.tree(origin), origin).objects
            for origin in origins
            if old.tree(origin) is not new.tree(origin)
        )
    )
