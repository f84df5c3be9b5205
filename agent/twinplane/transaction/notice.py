"""What happened on the box, numbered and kept for a while: stored by the transaction that causes it.

A notice is an event of the module twinplane-notifications. Its number never repeats; only the newest ones are
kept, so that a reader who was away for long is told which he missed.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinplane.transaction.record import Commit
from twinplane.tree.diff import ObjectChange
from twinplane_wire.path import ROOT, Path, parse

KEPT = 100_000
APPLIANCE_STATE = "appliance-state"
DRIFT = "drift"
SHARE_VIOLATION = "share-violation"
REPAIR = "repair"
KINDS = frozenset({"commit", "commit-confirmed", APPLIANCE_STATE, DRIFT, SHARE_VIOLATION, REPAIR})


@dataclass(frozen=True, slots=True)
class Notice:
    """One event: `kind` is the name of its YANG notification, `path` the object it is about, `body` its
    content in JSON_IETF, `time` in ns since the epoch. `sequence` 0: not stored yet."""

    kind: str
    time: int
    path: Path
    body: Mapping[str, Any]
    sequence: int = 0


def of_commit(commit: Commit, changes: Sequence[ObjectChange], confirmation: str) -> Notice:
    """The event of a commit; `confirmation` says what it has to do with one that is to be confirmed."""
    body: dict[str, Any] = {
        "revision": str(commit.number),  # 64-bit numbers are strings (RFC 7951 section 6.1)
        "author": commit.author,
        "source": commit.source,
        "peer": commit.peer,
        "comment": commit.comment,
        "object": [str(change.path) for change in changes],
    }
    if confirmation:
        body["confirmation"] = confirmation
    return Notice("commit", commit.time, ROOT, body)


def of_confirmation(number: int, author: str, objects: Sequence[str], time: int) -> Notice:
    """The event that a commit which waited was confirmed; `objects` are the paths of what it changed."""
    body = {"revision": str(number), "author": author, "object": list(objects)}
    return Notice("commit-confirmed", time, ROOT, body)


def of_difference(kind: str, path: Path, differences: Sequence[str], time: int) -> Notice:
    """The event that the host differs from what is wanted of an object; without differences, that it does no
    longer. `kind` is DRIFT or SHARE_VIOLATION."""
    return Notice(kind, time, path, {"difference": list(differences), "resolved": not differences})


def of_repair(who: tuple[str, str, str], steps: Sequence[str], failed: Sequence[str], time: int) -> Notice:
    """The event that somebody (author, source, peer) had the host repaired: what was done and what failed,
    one line each."""
    author, source, peer = who
    body = {"author": author, "source": source, "peer": peer, "step": list(steps), "failed": list(failed)}
    return Notice(REPAIR, time, ROOT, body)


def write(db: sqlite3.Connection, notices: Iterable[Notice], kept: int = KEPT) -> None:
    """Add events, and let the oldest go."""
    for notice in notices:
        row = (notice.time, notice.kind, str(notice.path), json.dumps(notice.body))
        cursor = db.execute("INSERT INTO notice (time, kind, path, body) VALUES (?, ?, ?, ?)", row)
        db.execute("DELETE FROM notice WHERE sequence <= ?", ((cursor.lastrowid or 0) - kept,))


def bounds(db: sqlite3.Connection) -> tuple[int, int]:
    """The numbers of the oldest event that is kept and of the newest one; (1, 0): there was none yet."""
    oldest, newest = db.execute("SELECT min(sequence), max(sequence) FROM notice").fetchone()
    return (oldest or 1, newest or 0)


def read(db: sqlite3.Connection, after: int, limit: int) -> tuple[Notice, ...]:
    """The events after a number, oldest first, at most so many."""
    rows = db.execute(
        "SELECT kind, time, path, body, sequence FROM notice WHERE sequence > ? ORDER BY sequence LIMIT ?",
        (after, limit),
    )
    return tuple(
        Notice(kind, time, parse(path), json.loads(body), number) for kind, time, path, body, number in rows
    )


def before(db: sqlite3.Connection, time: int) -> int:
    """The number of the newest event before a time; one less than the oldest where all are younger."""
    found = db.execute("SELECT max(sequence) FROM notice WHERE time < ?", (time,)).fetchone()[0]
    return found if found is not None else bounds(db)[0] - 1
