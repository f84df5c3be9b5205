"""Which operation of a request is to blame for what is wrong with its result."""

from collections.abc import Sequence
from dataclasses import replace

from twinplane.errors import Violation
from twinplane.tree.edit import Edit
from twinplane_wire.path import Path


def blamed(violation: Violation, edits: Sequence[Edit]) -> Violation:
    """A violation of the result with the operation that has to do with its path, the last one of several."""
    if violation.operation is not None:
        return violation
    related = (edit.index for edit in reversed(edits) if _touches(edit.path, violation.path))
    return replace(violation, operation=next(related, None))


def _touches(edited: Path, path: Path) -> bool:
    """True when an edit's path (keys left out stand for any) lies at, above or below another path."""
    return edited.origin == path.origin and all(
        mine.name == theirs.name and set(mine.keys) <= set(theirs.keys)
        for mine, theirs in zip(edited.elems, path.elems, strict=False)
    )
