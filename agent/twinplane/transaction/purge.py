"""Values that are taken out of the history for good: of every record and snapshot, and of the file's free
pages.

The configuration in force is not touched. Where a value was stands MARKER, or nothing where the leaf could
not hold that; the record names the leaf (``purged``), so that nobody rolls back to what is not there any
more.
"""

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from twinplane.errors import StartError
from twinplane.transaction import piece
from twinplane.transaction.journal import Entry, Status
from twinplane_wire.path import Elem, Path

MARKER = "(purged)"

# Whether the models take an object of this text (an older program's modules may have had no such leaf).
Fits = Callable[[Path, bytes], bool]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many values went out of records and snapshots, and whether running holds one still."""

    values: int
    in_force: bool


def purge(db: sqlite3.Connection, leaves: Iterable[Path], fits: Fits) -> Purged:
    """Take the values at these paths out of the history, whatever they were; a list without keys in a path
    means all its entries. The file has the newest layout, and nobody else uses it.

    Raises:
        StartError: a commit waits for its confirmation, and what takes it back is in its record; or objects
            could not be read without the values.
        sqlite3.Error: it cannot be written; then nothing was changed.
    """
    if db.execute("SELECT count(*) FROM confirm").fetchone() != (0,):
        raise StartError("a commit waits for its confirmation; confirm or cancel it, or start the agent once")
    work = _Purge(db, tuple(leaves), fits)
    db.execute("PRAGMA secure_delete = ON")  # sqlite.org/pragma.html: what is deleted is overwritten
    db.execute("BEGIN IMMEDIATE")
    try:
        values = work.records() + work.snapshots()
        _strip_journal(db)
        db.executemany("DELETE FROM piece WHERE id = ?", [(number,) for number in _unneeded(db)])
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    # Pages that were free before hold what was on them; the log holds what was written before.
    db.execute("VACUUM")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Purged(values, work.in_force())


def holds(db: sqlite3.Connection, leaves: Iterable[Path]) -> bool:
    """Whether a file, of whatever layout, holds a value at one of these paths, in force or in its history."""
    work = _Purge(db, tuple(leaves), lambda _path, _body: True)  # looks only
    return work.in_force() or work.records(look=True) > 0 or work.snapshots(look=True) > 0


class _Purge:
    def __init__(self, db: sqlite3.Connection, leaves: tuple[Path, ...], fits: Fits) -> None:
        self._db = db
        self._leaves: dict[Path, list[tuple[Elem, ...]]] = {}
        for leaf in leaves:
            self._leaves.setdefault(Path(leaf.elems[:2], leaf.origin), []).append(leaf.elems[2:])
        self._objects = {str(path): path for path in self._leaves}
        self._fits = fits

    def records(self, *, look: bool = False) -> int:
        """Rewrite the records (or only look at them); how many values are concerned."""
        found = 0
        numbers = [number for (number,) in self._db.execute("SELECT number FROM commits").fetchall()]
        for number in numbers:
            for column in ("forward", "reverse"):
                (text,) = self._db.execute(
                    f"SELECT {column} FROM commits WHERE number = ?", (number,)
                ).fetchone()
                edits = json.loads(text)
                count = sum(self._edit(edit) for edit in edits)
                found += count
                if count and not look:
                    self._db.execute(
                        f"UPDATE commits SET {column} = ? WHERE number = ?", (json.dumps(edits), number)
                    )
        return found

    def snapshots(self, *, look: bool = False) -> int:
        """The same for the snapshots."""
        found = 0
        if ("snapshot",) not in self._db.execute("SELECT name FROM sqlite_master").fetchall():
            return 0
        for (number,) in self._db.execute("SELECT number FROM snapshot").fetchall():
            (body,) = self._db.execute("SELECT body FROM snapshot WHERE number = ?", (number,)).fetchone()
            rows = json.loads(zlib.decompress(body))
            count = 0
            for row in rows:
                path = self._objects.get((f"{row[0]}:" if row[0] else "") + row[1])
                if path is not None:
                    text, gone = self._without(path, piece.whole(self._db, row[2].encode()))
                    if gone:
                        row[2:] = [text.decode(), [*(row[3] if len(row) > 3 else ()), *gone]]
                    count += len(gone)
            found += count
            if count and not look:
                text = zlib.compress(json.dumps(rows).encode(), 1)
                self._db.execute("UPDATE snapshot SET body = ? WHERE number = ?", (text, number))
        return found

    def in_force(self) -> bool:
        """Whether the configuration holds a value at one of the paths."""
        for origin, text, body in self._db.execute("SELECT origin, path, body FROM object").fetchall():
            path = self._objects.get((f"{origin}:" if origin else "") + text)
            if path is not None and self._without(path, piece.whole(self._db, bytes(body)))[1]:
                return True
        return False

    def _edit(self, edit: dict[str, Any]) -> int:
        path = self._objects.get(edit["path"])
        body = None if path is None else piece.text_of(self._db, edit)
        if path is None or body is None:
            return 0
        text, gone = self._without(path, body)
        if gone:
            edit.pop("pieces", None)
            edit |= {"value": json.loads(text), "purged": sorted({*edit.get("purged", ()), *gone})}
        return len(gone)

    def _without(self, path: Path, body: bytes) -> tuple[bytes, list[str]]:
        """The text of an object without its values at the leaves, and the paths of those that it had."""
        for marker in (MARKER, None):
            document = json.loads(body)
            gone = [
                text for leaf in self._leaves[path] for text in _remove(document, leaf, str(path), marker)
            ]
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
            if not gone or self._fits(path, text):
                return text, gone
        if self._fits(path, body):
            raise StartError(
                f"{gone[0]} is what tells objects apart: the history could not be read without it"
            )
        return text, gone


def _remove(node: Any, rest: tuple[Elem, ...], where: str, marker: str | None) -> Iterator[str]:
    """Put the marker (None: nothing) in the place of what is at the end of the path; the paths of that."""
    if not isinstance(node, dict) or not rest:
        return
    elem, below = rest[0], rest[1:]
    for name in [name for name in node if name.rpartition(":")[2] == elem.name]:
        here = f"{where}/{elem.name}"
        if isinstance(node[name], list) and below:
            for entry in node[name]:
                if isinstance(entry, dict) and _is_meant(entry, elem):
                    keys = "".join(f"[{key}={value}]" for key, value in elem.keys)
                    yield from _remove(entry, below, here + keys, marker)
        elif below:
            yield from _remove(node[name], below, here, marker)
        elif node[name] != MARKER:
            if marker is not None and isinstance(node[name], str):
                node[name] = marker
            else:
                del node[name]
            yield here


def _is_meant(entry: dict[str, Any], elem: Elem) -> bool:
    known = {name.rpartition(":")[2]: value for name, value in entry.items()}
    return all(value == "*" or str(known.get(key)) == value for key, value in elem.keys)


def _strip_journal(db: sqlite3.Connection) -> None:
    """A program of before kept whole objects in the row of the journal."""
    for number, status, body in db.execute("SELECT number, status, body FROM journal").fetchall():
        entry = Entry.read(number=number, status=Status(status), body=body)
        db.execute("UPDATE journal SET body = ?", (entry.body(),))


def _unneeded(db: sqlite3.Connection) -> set[int]:
    """The pieces that nothing refers to."""
    needed: set[int] = set()
    for (body,) in db.execute("SELECT body FROM object"):
        needed.update(piece.numbers(bytes(body)))
    for texts in db.execute("SELECT forward, reverse FROM commits"):
        for edit in (edit for text in texts for edit in json.loads(text)):
            needed.update(edit.get("pieces", ()))
    for (body,) in db.execute("SELECT body FROM snapshot"):
        for row in json.loads(zlib.decompress(body)):
            needed.update(piece.numbers(row[2].encode()))
    return {number for (number,) in db.execute("SELECT id FROM piece")} - needed
