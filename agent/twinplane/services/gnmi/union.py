"""union_replace: a whole configuration out of parts (union_replace specification, section 5).

Every origin that a part names is replaced as a whole by the union of its parts; origins that no part names
stay as they are, as with a replace of the root. Origins of this target have nothing in common, so parts can
only disagree within one: what two of them set has to be the same.
"""

from collections.abc import Iterator, Sequence

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.table import SchemaTable
from twinplane.tree import edit, query
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.node import EMPTY_ROOT, Container, Entries, same_node
from twinplane_wire.path import Path


class Union:
    """The parts of one request, put together; the order of the parts makes no difference to the outcome."""

    def __init__(self) -> None:
        self._merged: dict[str, Container] = {}
        self._last: dict[str, int] = {}

    def add(self, table: SchemaTable, origin: str, part: Sequence[Edit], index: int) -> None:
        """Take in the edits of one part, read as an update; `index` is its place in the request.

        Raises:
            RequestError: CONSTRAINT, every node that an earlier part sets to something else.
        """
        merged = self._merged.get(origin, EMPTY_ROOT)
        sets = [one for one in part if one.operation is not Operation.DELETE]
        alone = edit.apply(EMPTY_ROOT, sets, presence=table.presence, ordered=table.ordered)
        violations = [*_differences(merged, alone, origin, index), *_rivals(merged, part)]
        if violations:
            raise RequestError(*violations)
        whole = edit.apply(merged, sets, presence=table.presence, ordered=table.ordered)
        self._merged[origin] = whole
        self._last[origin] = index

    def edits(self) -> tuple[Edit, ...]:
        """A replace of the root for each origin."""
        return tuple(
            Edit(Operation.REPLACE, Path((), origin), whole, index=self._last[origin])
            for origin, whole in self._merged.items()
        )


def _differences(merged: Container, alone: Container, origin: str, index: int) -> Iterator[Violation]:
    for path, value in query.leaves(alone, Path((), origin)):
        other = query.get(merged, path)
        if other is not None and not same_node(other, value):
            yield _conflict(path, "two parts of the union set it to different values", index)


def _rivals(merged: Container, part: Sequence[Edit]) -> Iterator[Violation]:
    for one in part:
        if one.operation is Operation.DELETE:
            other = query.get(merged, one.path)
            if other is not None and not (isinstance(other, Entries) and not other.entries):
                text = "two parts of the union set different cases of a choice"
                yield _conflict(one.path, text, one.index)


def _conflict(path: Path, text: str, index: int) -> Violation:
    return Violation(path, Fault.CONSTRAINT, text, "let one part say it, or both the same", index)
