"""How a commit is written: the objects as they are now, and the record of how they became so."""

import sqlite3
from collections.abc import Callable, Sequence

from twinplane.transaction import history, piece
from twinplane.transaction.record import Commit
from twinplane.tree.diff import ObjectChange
from twinplane.tree.node import Container
from twinplane_wire.path import Path


def write(
    db: sqlite3.Connection,
    commit: Commit,
    changes: Sequence[ObjectChange],
    encode: Callable[[Path, Container], bytes],
    kept: int,
) -> None:
    """Part of a commit: the rows of the touched objects, the record, and the end of what is too old."""
    forward: list[str] = []
    reverse: list[str] = []
    for change in changes:
        row = (change.path.origin, str(Path(change.path.elems)))
        before = _before(db, row, change, encode, commit.number)
        if change.after is None:
            after = None
            db.execute("DELETE FROM object WHERE origin = ? AND path = ?", row)
        else:
            after = piece.keep(db, encode(change.path, change.after), commit.number)
            db.execute(
                "INSERT INTO object (origin, path, body) VALUES (?, ?, ?) "
                "ON CONFLICT (origin, path) DO UPDATE SET body = excluded.body",
                (*row, after),
            )
        piece.count(db, before, after, commit.number)
        forward.append(piece.edit(str(change.path), after))
        reverse.append(piece.edit(str(change.path), before))
    db.execute(
        "INSERT INTO commits (number, time, author, source, peer, comment, confirmation, forward, reverse) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            commit.number, commit.time, commit.author, commit.source, commit.peer, commit.comment,
            commit.confirmation.value, f"[{', '.join(forward)}]", f"[{', '.join(reverse)}]",
        ),
    )  # fmt: skip
    history.keep(db, commit.number, [change.path for change in changes], kept)


def _before(
    db: sqlite3.Connection,
    row: tuple[str, str],
    change: ObjectChange,
    encode: Callable[[Path, Container], bytes],
    number: int,
) -> bytes | None:
    """What stands for the object as it was: the row it has until now, which need not be written again."""
    if change.before is None:
        return None
    found = db.execute("SELECT body FROM object WHERE origin = ? AND path = ?", row).fetchone()
    return piece.keep(db, encode(change.path, change.before) if found is None else bytes(found[0]), number)
