"""Candidates (RFC 6241 section 8.3): a configuration under edit, on top of the running one it began with.

A candidate is its base (number and trees), the edits, and the trees that they made of it. To rebase is to
make the same edits on newer running trees; what both sides changed, and differently, is a conflict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from twinplane.errors import Fault, RequestError, Violation
from twinplane.tree.diff import leaf_changes, reordered
from twinplane.tree.edit import Edit
from twinplane.tree.forest import Forest, changes
from twinplane.tree.node import Node
from twinplane.tree.query import get
from twinplane_wire.path import Path

Apply: TypeAlias = Callable[[Forest, Sequence[Edit]], Forest]


@dataclass(frozen=True, slots=True)
class Candidate:
    """`base` is the number of the commit it began with, `forest` what it has become so far by `edits`, in
    order."""

    base: int
    base_forest: Forest
    forest: Forest
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, revision: int, running: Forest) -> "Candidate":
        """A candidate without a change."""
        return cls(revision, running, running)

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what it began with."""
        return self.forest is not self.base_forest and bool(changes(self.base_forest, self.forest))

    def edited(self, edits: Sequence[Edit], apply: Apply) -> "Candidate":
        """The candidate after further edits; raises RequestError as `apply` does."""
        return replace(self, forest=apply(self.forest, edits), edits=(*self.edits, *edits))

    def replaced(self, forest: Forest, edits: Sequence[Edit]) -> "Candidate":
        """The candidate with another content altogether (copy-config); `edits` lead there from its base."""
        return replace(self, forest=forest, edits=tuple(edits))

    def rebased(self, revision: int, running: Forest, apply: Apply) -> "tuple[Candidate, tuple[Path, ...]]":
        """The same edits on newer running trees, and the paths that changed on both sides to different
        values, or that the edits would change back. Where there is one, the candidate is returned unchanged.

        Raises:
            RequestError: CONFLICT, an edit does not apply to the newer trees.
        """
        if running is self.base_forest:
            return replace(self, base=revision), ()
        conflicts = conflicting(self.base_forest, running, self.forest)
        if conflicts:
            return self, conflicts
        try:
            fresh = Candidate.of(revision, running).edited(self.edits, apply)
        except RequestError as error:
            raise RequestError(
                *(Violation(one.path, Fault.CONFLICT, one.constraint) for one in error.violations)
            ) from error
        overwritten = _overwritten(self.base_forest, running, fresh.forest)
        return (self, overwritten) if overwritten else (fresh, ())


def conflicting(base: Forest, theirs: Forest, ours: Forest) -> tuple[Path, ...]:
    """The leaves, in path order, that both sides changed and not to the same value, or that one side changed
    in an entry that the other deleted."""
    changed_there, changed_here = changed_leaves(base, theirs), changed_leaves(base, ours)
    return tuple(
        sorted(
            path
            for path in changed_there | changed_here
            if _at(theirs, path) != _at(ours, path)
            and (
                (path in changed_there and path in changed_here)
                or (path in changed_here and _lost_entry(base, theirs, ours, path))
                or (path in changed_there and _lost_entry(base, ours, theirs, path))
            )
        )
    )


def _lost_entry(base: Forest, deleting: Forest, keeping: Forest, path: Path) -> bool:
    """Whether one side deleted an entry above a path that the other side keeps."""
    above = (Path(path.elems[:depth], path.origin) for depth, elem in enumerate(path.elems, 1) if elem.keys)
    return any(
        _at(base, entry) is not None and _at(deleting, entry) is None and _at(keeping, entry) is not None
        for entry in above
    )


def _at(forest: Forest, path: Path) -> Node | None:
    return get(forest.tree(path.origin), path)


def changed_leaves(before: Forest, after: Forest) -> frozenset[Path]:
    """The leaves that are new, gone or have another value."""
    found: set[Path] = set()
    for origin in {*before.trees, *after.trees}:
        old, new = before.tree(origin), after.tree(origin)
        if old is not new:
            updates, deletes = leaf_changes(old, new, Path((), origin))
            found.update(deletes, (path for path, _ in updates))
    return frozenset(found)


def _overwritten(base: Forest, theirs: Forest, result: Forest) -> tuple[Path, ...]:
    """What the others changed and the result changes again: leaves, and lists in another order. Edits that
    replace or delete as a whole do that, with what nobody touched when they were made."""
    leaves = changed_leaves(base, theirs) & changed_leaves(theirs, result)
    return tuple(sorted(leaves | _reordered(base, theirs) & _reordered(theirs, result)))


def _reordered(before: Forest, after: Forest) -> frozenset[Path]:
    origins = {*before.trees, *after.trees}
    return frozenset(
        path
        for origin in origins
        for path in reordered(before.tree(origin), after.tree(origin), Path((), origin))
    )
