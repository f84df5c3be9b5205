"""Changes as people read them: object by object, what goes and what comes."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.text import Text

from twinplane_cli.output import printable
from twinplane_client import Path
from twinplane_client.config import Change

OBJECT_DEPTH = 2  # elements of the path of an object


def difference(changes: Iterable[Change]) -> Text:
    """The text of a difference: a line with the path of each object, then its leaves, - was and + is."""
    text = Text()
    ordered = sorted(filter(_told, changes), key=lambda one: one.path)
    for head, members in groupby(
        ordered, key=lambda one: Path(one.path.elems[:OBJECT_DEPTH], one.path.origin)
    ):
        text.append(f"{printable(str(head))}\n", "bold")
        for one in members:
            name = printable(str(Path(one.path.elems[OBJECT_DEPTH:]))[1:])
            for sign, style, value in _sides(one):
                written = printable(json.dumps(value, ensure_ascii=False))
                text.append(f"{' '.join(filter(None, (sign, name, written)))}\n", style)
    text.rstrip()
    return text


def _sides(change: Change) -> Iterator[tuple[str, str, object]]:
    if change.kind != "created":
        yield "-", "red", change.before
    if change.kind != "deleted":
        yield "+", "green", change.after


def _told(change: Change) -> bool:
    """Whether a leaf says more than the path it is at: the key of an entry does not."""
    *above, last = change.path.elems
    return not above or last.name not in dict(above[-1].keys)
