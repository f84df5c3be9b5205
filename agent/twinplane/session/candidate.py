"""Candidates (RFC 6241 section 8.3): a configuration under edit, on top of the running one it began with.

A candidate is its base (number and tree) and the tree the edits made of it. To rebase is to carry what was
changed over to a newer running tree; what was changed on both sides, and differently, is a conflict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twinplane.tree import edit
from twinplane.tree.diff import leaf_changes
from twinplane.tree.draft import Draft
from twinplane.tree.edit import Edit
from twinplane.tree.node import Container
from twinplane.tree.query import get
from twinplane_wire.path import ROOT, Path


@dataclass(frozen=True, slots=True)
class Candidate:
    """`base` is the number of the commit it began with, `root` what it has become so far; `edits` are those
    made, in order."""

    base: int
    base_root: Container
    root: Container
    edits: tuple[Edit, ...] = ()

    @classmethod
    def of(cls, revision: int, running: Container) -> "Candidate":
        """A candidate without a change."""
        return cls(revision, running, running)

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what it began with."""
        return self.root is not self.base_root and self.root != self.base_root

    def edited(self, edits: Sequence[Edit], *, union_leaf_lists: bool = True) -> "Candidate":
        """The candidate after further edits; raises RequestError as `tree.edit.apply` does."""
        root = edit.apply(self.root, edits, union_leaf_lists=union_leaf_lists)
        return replace(self, root=root, edits=(*self.edits, *edits))

    def replaced(self, root: Container) -> "Candidate":
        """The candidate with another content altogether (copy-config)."""
        return replace(self, root=root, edits=())

    def rebased(self, revision: int, running: Container) -> "tuple[Candidate, tuple[Path, ...]]":
        """The same edits on a newer running tree, and the paths that changed on both sides to different
        values. Where there is one, the candidate is returned unchanged."""
        conflicts = conflicting(self.base_root, running, self.root)
        if conflicts:
            return self, conflicts
        if self.edits:
            return replace(Candidate.of(revision, running).edited(self.edits)), ()
        return replace(Candidate.of(revision, running), root=merged(self.base_root, running, self.root)), ()


def conflicting(base: Container, theirs: Container, ours: Container) -> tuple[Path, ...]:
    """The leaves, in path order, that both sides changed and not to the same value."""
    if theirs is base or ours is base:
        return ()
    their_updates, their_deletes = leaf_changes(base, theirs, ROOT)
    our_updates, our_deletes = leaf_changes(base, ours, ROOT)
    touched = {path for path, _ in their_updates} | set(their_deletes)
    mine = {path for path, _ in our_updates} | set(our_deletes)
    return tuple(sorted(path for path in touched & mine if get(theirs, path) != get(ours, path)))


def merged(base: Container, theirs: Container, ours: Container) -> Container:
    """`theirs` with what `ours` changed against `base`; for trees without conflict."""
    updates, deletes = leaf_changes(base, ours, ROOT)
    draft = Draft(theirs)
    for path in deletes:
        draft.remove(path, drop_bare_entries=True)
    for path, value in updates:
        draft.put(path, value)
    return draft.freeze()
