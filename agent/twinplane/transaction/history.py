"""What was configured: the records of commits, and the trees as they were after each of them.

A record holds whole objects, as they became and as they were (long ones in pieces: `piece.py`). An old tree
is the running one with the records after it taken back; the table `touched` says which records changed an
object, so that only the one that counts for it is read. Where more objects have come and gone since than
there are, it is the nearest full snapshot with what lies between.
"""

import json
import sqlite3
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twinplane.errors import Fault, RequestError, Violation
from twinplane.transaction import piece
from twinplane.transaction.object_tree import graft, object_at
from twinplane.transaction.record import Commit, Confirmation
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path, parse

if TYPE_CHECKING:
    from twinplane.transaction.datastore import Datastore, Running

SNAPSHOT_EVERY = 256
LARGEST = 2**63 - 1  # a number that SQLite has (sqlite.org/datatype3.html); those on the wire go further
AT_ONCE = 100  # records in one look at the file, where all of a span are asked for

Changed = tuple[Commit, tuple[ObjectChange, ...]]
Decode = Callable[[Path, bytes], Container]


class History:
    """Reads what the datastore recorded; every call is one look at the file, in the file's thread."""

    def __init__(self, store: "Datastore", decode: Decode) -> None:
        self._store = store
        self._decode = decode

    async def commits(self, before: int, limit: int) -> tuple[Commit, ...]:
        """The newest records, newest first; with `before` (not 0) only those of lower numbers."""
        return await self._store.read(lambda db: _records(db, before, limit))

    async def oldest(self) -> int:
        """The number of the oldest record that is kept; 0 where there is none."""
        return await self._store.read(_oldest)

    async def commit(self, number: int) -> Changed:
        """One record and what it changed.

        Raises:
            RequestError: NO_DATA.
        """

        def read(db: sqlite3.Connection) -> Changed:
            return self._changed(db, _record(db, number))

        return await self._store.read(read)

    async def following(self, number: int, until: int) -> tuple[Changed, ...]:
        """The next records after a commit, oldest first, of commits before a time in ns since the epoch; none
        where there are no more.

        Raises:
            RequestError: NO_DATA, the next one is not kept any more.
        """

        def read(db: sqlite3.Connection) -> tuple[Changed, ...]:
            rows = db.execute(
                f"SELECT {_FIELDS}, forward, reverse FROM commits WHERE number > ? AND time < ? "
                "ORDER BY number LIMIT ?",
                (number, until, AT_ONCE),
            ).fetchall()
            if rows and rows[0][0] != number + 1:
                raise _unknown(db, number + 1)
            return tuple(self._changed(db, row) for row in rows)

        return await self._store.read(read)

    async def before(self, time: int, running: "Running") -> tuple[int, Forest]:
        """The number of the newest commit before a time in ns since the epoch (0: there was none), and what
        was configured after it; `running` as for `forest`.

        Raises:
            RequestError: NO_DATA, that is not kept any more.
        """

        def read(db: sqlite3.Connection) -> tuple[int, Forest]:
            number = min(_before(db, time), running.revision)
            if number == running.revision:
                return number, running.forest
            return number, NOTHING if number == 0 else self._forest(db, number, running)

        return await self._store.read(read)

    async def forest(self, number: int, running: "Running", *, whole: bool = False) -> Forest:
        """What was configured after a commit; `running` is a tree in force now or until just now. With
        `whole` it is to be put in force, so that no value of it may be missing.

        Raises:
            RequestError: NO_DATA, there was no such commit or it is not kept any more; STATE, it is not
            `whole`:
                names what was purged from it.
        """
        if number == running.revision:
            return running.forest
        lost: dict[Path, list[str]] = {}
        forest = await self._store.read(lambda db: self._forest(db, number, running, lost))
        if whole and (purged := sorted(leaf for leaves in lost.values() for leaf in leaves)):
            raise RequestError(*(_purged(number, leaf) for leaf in purged))
        return forest

    def _changed(self, db: sqlite3.Connection, row: tuple[Any, ...]) -> Changed:
        before = dict(self._objects(db, json.loads(row[-1])))
        after = self._objects(db, json.loads(row[-2]))
        return _commit(row[:-2]), tuple(ObjectChange(path, before.get(path), node) for path, node in after)

    def _forest(
        self,
        db: sqlite3.Connection,
        number: int,
        running: "Running",
        lost: dict[Path, list[str]] | None = None,
    ) -> Forest:
        """As `forest`; `lost` takes the leaves that were purged of it, by object."""
        lost = {} if lost is None else lost
        if number > running.revision or number < _oldest(db):
            raise _unknown(db, number)
        start, forest = running.revision, running.forest
        way = _way(db, start, number)
        (objects,) = db.execute("SELECT count(*) FROM object").fetchone()
        if len(way) > objects:  # more came and went since than a snapshot may hold
            nearest = db.execute(
                "SELECT number FROM snapshot WHERE number <= ? ORDER BY abs(number - ?) LIMIT 1",
                (start, number),
            ).fetchone()
            if nearest is not None:
                (start,) = nearest
                forest, way = self._snapshot(db, start, lost), _way(db, start, number)
        edits = list(_edits(db, way, back=start >= number))
        lost.update({parse(edit["path"]): edit.get("purged", []) for edit in edits})
        return forest.changed(
            ObjectChange(path, object_at(forest.tree(path.origin), path), node)
            for path, node in self._objects(db, edits)
        )

    def _snapshot(self, db: sqlite3.Connection, number: int, lost: dict[Path, list[str]]) -> Forest:
        (body,) = db.execute("SELECT body FROM snapshot WHERE number = ?", (number,)).fetchone()
        rows = json.loads(zlib.decompress(body))
        paths = [(Path(parse(row[1]).elems, row[0]), row[2]) for row in rows]
        lost.update({path: row[3] for (path, _), row in zip(paths, rows, strict=True) if len(row) > 3})
        return (
            graft((path, self._decode(path, piece.whole(db, text.encode()))) for path, text in paths)
            if paths
            else NOTHING
        )

    def _objects(
        self, db: sqlite3.Connection, edits: Iterable[dict[str, Any]]
    ) -> Iterable[tuple[Path, Container | None]]:
        for edit in edits:
            path, body = parse(edit["path"]), piece.text_of(db, edit)
            yield path, None if body is None else self._decode(path, body)


def _way(db: sqlite3.Connection, start: int, end: int) -> dict[str, int]:
    """The objects that differ on the way from one commit to another, each with the one record that counts for
    it: the first that is taken back, or the last that is made."""
    which = "min" if start >= end else "max"
    return dict(
        db.execute(
            f"SELECT path, {which}(number) FROM touched WHERE number > ? AND number <= ? GROUP BY path",
            (min(start, end), max(start, end)),
        ).fetchall()
    )


def _edits(db: sqlite3.Connection, way: dict[str, int], *, back: bool) -> Iterable[dict[str, Any]]:
    wanted: dict[int, set[str]] = {}
    for path, number in way.items():
        wanted.setdefault(number, set()).add(path)
    column = "reverse" if back else "forward"
    for number, paths in wanted.items():
        (text,) = db.execute(f"SELECT {column} FROM commits WHERE number = ?", (number,)).fetchone()
        yield from (edit for edit in json.loads(text) if edit["path"] in paths)


def keep(db: sqlite3.Connection, number: int, touched: Iterable[Path], kept: int) -> None:
    """Part of a commit: which objects it touched, a full snapshot where it is its turn, and the end of what
    is too old."""
    pairs = [(str(path), number) for path in touched]
    db.executemany("INSERT OR IGNORE INTO touched (path, number) VALUES (?, ?)", pairs)
    if number % SNAPSHOT_EVERY == 0:
        rows = db.execute("SELECT origin, path, body FROM object ORDER BY rowid").fetchall()
        text = json.dumps([(origin, path, bytes(body).decode()) for origin, path, body in rows])
        db.execute(
            "INSERT INTO snapshot (number, body) VALUES (?, ?)", (number, zlib.compress(text.encode(), 1))
        )
    old = db.execute("SELECT number, forward FROM commits WHERE number <= ?", (number - kept,)).fetchall()
    for gone, text in old:
        paths = [(edit["path"], gone) for edit in json.loads(text)]
        db.executemany("DELETE FROM touched WHERE path = ? AND number = ?", paths)
    db.execute("DELETE FROM commits WHERE number <= ?", (number - kept,))
    db.execute("DELETE FROM snapshot WHERE number <= ?", (number - kept,))
    piece.trim(db, number - kept)


_FIELDS = "number, time, author, source, peer, comment, confirmation"


def _records(db: sqlite3.Connection, before: int, limit: int) -> tuple[Commit, ...]:
    rows = db.execute(
        f"SELECT {_FIELDS} FROM commits WHERE ? = 0 OR number < ? ORDER BY number DESC LIMIT ?",
        (min(before, LARGEST), min(before, LARGEST), limit),
    )
    return tuple(_commit(row) for row in rows)


def _record(db: sqlite3.Connection, number: int) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = db.execute(
        f"SELECT {_FIELDS}, forward, reverse FROM commits WHERE number = ?", (min(number, LARGEST),)
    ).fetchone()
    if row is None:
        raise _unknown(db, number)
    return row


def _before(db: sqlite3.Connection, time: int) -> int:
    """The number of the newest commit before a time. Times grow with numbers, so a few records tell."""
    oldest, newest = db.execute("SELECT min(number), max(number) FROM commits").fetchone()
    if newest is None:
        return 0

    def time_of(number: int) -> int:
        return int(db.execute("SELECT time FROM commits WHERE number = ?", (number,)).fetchone()[0])

    return int(oldest) - 1 + bisect_left(range(oldest, newest + 1), time, key=time_of)


def _commit(row: tuple[Any, ...]) -> Commit:
    number, time, author, source, peer, comment, confirmation = row
    return Commit(number, time, author, source, peer, comment, Confirmation(confirmation))


def _oldest(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(min(number), 0) FROM commits").fetchone()[0])


def _purged(number: int, leaf: str) -> Violation:
    text = f"the value that it had at commit {number} was purged from the history"
    return Violation(
        parse(leaf), Fault.STATE, text, "set what is wanted of that commit by a request of its own"
    )


def _unknown(db: sqlite3.Connection, number: int) -> RequestError:
    oldest, newest = db.execute("SELECT min(number), max(number) FROM commits").fetchone()
    kept = f"{oldest} to {newest} are kept" if newest else "there is none yet"
    return RequestError(Violation(ROOT, Fault.NO_DATA, f"there is no commit {number}: {kept}"))
