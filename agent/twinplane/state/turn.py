"""One pass over the operational trees: sections and configuration brought into drafts."""

from collections.abc import Mapping

from twinplane.state.change import Part
from twinplane.state.configured import exchanged, without
from twinplane.state.section import Memory, NoMemory, Section, Stamp
from twinplane.tree.draft import Draft
from twinplane.tree.node import EMPTY_ROOT, Container, Leaf, Node
from twinplane.tree.query import get
from twinplane_wire.path import Path


class Turn:
    """The trees under change, the time of what changes, and which objects were touched."""

    def __init__(self, roots: Mapping[str, Container], time: int, memory: Memory | None = None) -> None:
        self.time = time
        self._memory = memory or NoMemory()
        self.objects: dict[Path, None] = {}  # to be compared with what they were
        self.parts: dict[Path, list[Part]] = {}  # all that changed in an object not among these
        self.altered: dict[Path, None] = {}  # what of these derivations read
        self._roots = roots
        self._drafts: dict[str, Draft] = {}

    def root(self, origin: str) -> Container:
        """The tree of an origin as it is now; to look into only."""
        draft = self._drafts.get(origin)
        return self._roots.get(origin, EMPTY_ROOT) if draft is None else draft.root

    def freeze(self) -> dict[str, Container]:
        """The trees that were changed, for good."""
        return {origin: draft.freeze() for origin, draft in self._drafts.items()}

    def configure(self, path: Path, before: Container | None, after: Container | None) -> None:
        """Exchange the configuration of one object."""
        draft = self._draft(path)
        there = get(draft.root, path)
        keys = tuple([name for name, _ in path.elems[-1].keys])
        if after is None and keys and isinstance(there, Container) and before is not None:
            left: Node | None = without(there, before, keys)
        else:
            left = exchanged(there, before, after)
        if isinstance(left, Container):
            if left is not there:
                draft.exchange(path, left)
        else:
            draft.remove(path, drop_bare_entries=True)

    def write(self, section: Section, old: Section | None) -> Section:
        """Bring the leaves of a section into the tree; gives the section with its stamp."""
        leaves = section.leaves
        container = section.container
        stamp = section.stamp
        if stamp is not None and stamp.watched in leaves:
            kept = None if old is None else old.leaves
            same = kept is not None and kept.get(stamp.watched) == leaves[stamp.watched]
            known = kept[stamp.leaf] if kept is not None and same else None
            time = known if isinstance(known, int) else self._begin(section, stamp, kept)
            self._memory.note(container, leaves[stamp.watched], stamp.witness, time)
            section = Section(container, leaves := {**leaves, stamp.leaf: time}, stamp)
        if old is not None and old.leaves == leaves and (section.whole or _same_types(old.leaves, leaves)):
            return old
        held: Mapping[str, Leaf] = {} if old is None else old.leaves
        differing = {
            name: value
            for name, value in leaves.items()
            if name not in held or held[name] != value or type(held[name]) is not type(value)
        }
        if held and held.keys() <= leaves.keys():
            # Nothing comes into being or goes but leaves: what changed is known without a look at the tree.
            whole = section.whole or Path(container.elems[:2], container.origin)
            self.parts.setdefault(whole, []).append(Part(container, tuple(differing.items())))
            draft = self._draft_of(container.origin)
            if section.whole is None:
                self.altered[whole] = None
                draft.fill(container, differing)
            else:
                draft.exchange(container, Container(leaves))
            return section
        draft = self._draft(container)
        if section.whole is not None:
            draft.exchange(container, Container(leaves))
            return section
        if differing:
            draft.fill(container, differing)
        for name in held:
            if name not in leaves:
                draft.remove(container.child(name), drop_bare_entries=True)
        return section

    def _begin(self, section: Section, stamp: Stamp, kept: Mapping[str, Leaf] | None) -> int:
        """The time of a value that is new here; the process before this one may have seen it begin."""
        if kept is not None:
            return self.time
        known = self._memory.since(section.container, section.leaves[stamp.watched], stamp.witness)
        return self.time if known is None else min(known, self.time)

    def clear(self, section: Section) -> None:
        """Take the leaves of a section out of the tree."""
        if section.stamp is not None:
            self._memory.forget(section.container)
        draft = self._draft(section.container)
        if section.whole is not None:
            draft.remove(section.container, drop_bare_entries=True)
            return
        for name in section.leaves:
            draft.remove(section.container.child(name), drop_bare_entries=True)

    def _draft(self, path: Path) -> Draft:
        self.objects[Path(path.elems[:2], path.origin)] = None
        return self._draft_of(path.origin)

    def _draft_of(self, origin: str) -> Draft:
        draft = self._drafts.get(origin)
        if draft is None:
            draft = self._drafts[origin] = Draft(self._roots.get(origin, EMPTY_ROOT))
        return draft


def _same_types(left: Mapping[str, Leaf], right: Mapping[str, Leaf]) -> bool:
    """True for equal maps in which no number stands for a truth value."""
    return all(type(value) is type(right[name]) for name, value in left.items())
