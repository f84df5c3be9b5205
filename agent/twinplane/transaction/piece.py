"""Long objects in pieces, each kept once: what a change of one leaf costs does not grow with its object.

An object's text is cut after commas and line ends whose surroundings say so, never at fixed offsets (as
rsync and backup programs do), so that a change moves no cut but those beside it. Whoever refers to an object
keeps its text or, where that is long, the numbers of its pieces: ``[17,4,18]``, while an object is ``{…}``.

A piece is needed while an object that is configured has it (``uses``), and then for as long as records of
commits up to the one that took it away are kept (``gone``).
"""

import hashlib
import json
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONG = 4096  # bytes of text from which on an object is kept in pieces
_LEAST = 1024  # bytes of a piece, where there are as many
_ONE_IN = 32  # places to cut is one where it is cut
_ALONE = 16_384  # bytes without a place to cut that are a piece of their own
_PLACES = re.compile(rb",|\\n")  # after these


def cut(body: bytes) -> Iterator[bytes]:
    """The pieces of a text, in order; together they are the text."""
    start = last = 0  # of the piece, and of the part of it that is looked at
    for place in (*(found.end() for found in _PLACES.finditer(body)), len(body)):
        alone = place - last >= _ALONE
        if alone and last > start:
            yield body[start:last]
            start = last
        if alone or (place - start >= _LEAST and zlib.crc32(body[last:place]) % _ONE_IN == 0):
            yield body[start:place]
            start = place
        last = place
    if start < len(body):
        yield body[start:]


def keep(db: sqlite3.Connection, body: bytes, number: int) -> bytes:
    """What stands for a text: itself, or the numbers of its pieces, which are kept now. `number` is the
    commit."""
    if len(body) < LONG or is_in_pieces(body):
        return body
    return json.dumps([_kept(db, part, number) for part in cut(body)], separators=(",", ":")).encode()


def whole(db: sqlite3.Connection, held: bytes) -> bytes:
    """The text that `held` stands for."""
    return b"".join(_read(db, json.loads(held))) if is_in_pieces(held) else held


def edit(path: str, held: bytes | None) -> str:
    """The JSON text by which a record says what became of the object at a path (None: it went)."""
    where = f'{{"path": {json.dumps(path)}, "operation": '
    if held is None:
        return f'{where}"delete"}}'
    name = "pieces" if is_in_pieces(held) else "value"
    return f'{where}"replace", "{name}": {held.decode()}}}'


def text_of(db: sqlite3.Connection, edited: Mapping[str, Any]) -> bytes | None:
    """The text of the object that an edit of a record leaves; None where it goes."""
    if "pieces" in edited:
        return b"".join(_read(db, edited["pieces"]))
    return json.dumps(edited["value"]).encode() if "value" in edited else None


def count(db: sqlite3.Connection, before: bytes | None, after: bytes | None, number: int) -> None:
    """An object that was configured as `before` stands for is so as `after` does, from commit `number` on."""
    uses = Counter(numbers(after))
    uses.subtract(Counter(numbers(before)))
    db.executemany(
        "UPDATE piece SET uses = uses + ?1, gone = CASE WHEN uses + ?1 > 0 THEN NULL ELSE ?2 END "
        "WHERE id = ?3",
        [(change, number, piece) for piece, change in uses.items() if change],
    )


def trim(db: sqlite3.Connection, number: int) -> None:
    """Let go what only records of commits up to this one needed."""
    db.execute("DELETE FROM piece WHERE gone <= ?", (number,))


def is_in_pieces(held: bytes) -> bool:
    """Whether this stands for a text and is not the text."""
    return held.startswith(b"[")


def numbers(held: bytes | None) -> list[int]:
    """The numbers of the pieces, of a text that is in pieces."""
    return json.loads(held) if held is not None and is_in_pieces(held) else []


def _kept(db: sqlite3.Connection, part: bytes, number: int) -> int:
    digest = hashlib.blake2b(part, digest_size=20).digest()
    found = db.execute("SELECT id FROM piece WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        found = db.execute(
            "INSERT INTO piece (digest, uses, gone, body) VALUES (?, 0, ?, ?) RETURNING id",
            (digest, number, zlib.compress(part, 1)),
        ).fetchone()
    return int(found[0])


def _read(db: sqlite3.Connection, numbers: Iterable[int]) -> Iterator[bytes]:
    for number in numbers:
        (body,) = db.execute("SELECT body FROM piece WHERE id = ?", (number,)).fetchone()
        yield zlib.decompress(body)
