"""The small tables (meta, journal, foreign_values, confirm), written within the transaction of the caller."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from twinplane.plan.resource import ForeignValue, Key, Noun
from twinplane.transaction.journal import Entry, Status
from twinplane.transaction.leftover import Leftover
from twinplane.transaction.record import Confirmation
from twinplane_wire.path import Path, parse

# Keys of the table meta.
INSTANCE = "instance"  # whose configuration it is: the file instance-id of the state directory
COPY = "copy"  # in a copy: when it was written
RESTORED = "restored"  # when a copy became the datastore
SPARED = "spared"  # objects that are left alone though nobody configured them
SPARED_BEFORE = "spared before"  # the commit that waits
EVERYTHING = "*"  # all that are found, as SPARED


@dataclass(frozen=True, slots=True)
class End:
    """What is known when a transaction or a repair is over: foreign values that were given back, what is left
    over, what is no longer, and (with `row`) that the journal's row has done its duty."""

    returned: tuple[ForeignValue, ...] = ()
    left: tuple[Leftover, ...] = ()
    settled: tuple[Key, ...] = ()
    row: bool = True


def settle(db: sqlite3.Connection, outcome: Confirmation) -> tuple[int, ...]:
    """The number of the commit that waits, if one does, which from now on does no longer."""
    waiting = tuple(number for (number,) in db.execute("SELECT number FROM confirm").fetchall())
    for number in waiting:
        db.execute("UPDATE commits SET confirmation = ? WHERE number = ?", (outcome.value, number))
    db.execute("DELETE FROM confirm")
    return waiting


def begin(db: sqlite3.Connection, entry: Entry) -> None:
    """The intent, with the foreign values it takes."""
    put_entry(db, entry)
    keep_foreign(db, entry.foreign)


def put_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    """One value of the table meta."""
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def put_entry(db: sqlite3.Connection, entry: Entry) -> None:
    """The one row of the journal, whatever was there."""
    db.execute(
        "INSERT OR REPLACE INTO journal (id, number, status, body) VALUES (1, ?, ?, ?)",
        (entry.number, entry.status.value, entry.body()),
    )


def keep_foreign(db: sqlite3.Connection, values: Iterable[ForeignValue]) -> None:
    """Values of foreign attributes. Whoever calls knows of no kept value; a row left by a failed clean-up is
    older than that."""
    db.executemany(
        "INSERT OR REPLACE INTO foreign_values (device, attribute, value, owner, ifindex, address)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [(one.device, one.attribute, one.value, str(one.owner), one.ifindex, one.address) for one in values],
    )


def move_foreign(db: sqlite3.Connection, gone: Sequence[ForeignValue], come: Iterable[ForeignValue]) -> None:
    """Other values in the place of some: their devices go by other names now."""
    forget_foreign(db, gone)
    keep_foreign(db, come)


def forget_foreign(db: sqlite3.Connection, dropped: Sequence[ForeignValue]) -> None:
    """Values that nobody has to give back any more."""
    db.executemany(
        "DELETE FROM foreign_values WHERE device = ? AND attribute = ?",
        [(value.device, value.attribute) for value in dropped],
    )


def leftovers(db: sqlite3.Connection) -> tuple[Leftover, ...]:
    """What earlier transactions left over."""
    rows = db.execute("SELECT noun, name, owner, status, cause FROM leftover ORDER BY rowid").fetchall()
    return tuple(Leftover(Key(Noun(n), name), parse(o), Status(s), cause) for n, name, o, s, cause in rows)


def put_leftovers(db: sqlite3.Connection, left: Iterable[Leftover]) -> None:
    """Something is left over."""
    db.executemany(
        "INSERT OR REPLACE INTO leftover (noun, name, owner, status, cause) VALUES (?, ?, ?, ?, ?)",
        [(one.key.noun.value, one.key.name, str(one.owner), one.status.value, one.cause) for one in left],
    )


def drop_leftovers(db: sqlite3.Connection, keys: Iterable[Key]) -> None:
    """It is not any more."""
    db.executemany(
        "DELETE FROM leftover WHERE noun = ? AND name = ?", [(key.noun.value, key.name) for key in keys]
    )


def conclude(db: sqlite3.Connection, end: End) -> None:
    """The end of the journal's row, and what it leaves or what a repair has settled."""
    if end.row:
        db.execute("DELETE FROM journal")
    put_leftovers(db, end.left)
    drop_leftovers(db, end.settled)
    forget_foreign(db, end.returned)


def drop_meta(db: sqlite3.Connection, key: str) -> None:
    """Take one value out of the table meta, if it is there."""
    db.execute("DELETE FROM meta WHERE key = ?", (key,))


def settle_in(db: sqlite3.Connection, instance: UUID | None, now: str) -> None:
    """What has to be written at a start: whose file it is; and of a copy that became the datastore (however
    it came there) that whatever it does not know is left alone, and that later copies were known then."""
    known = dict(db.execute("SELECT key, value FROM meta").fetchall())
    if (instance is None or INSTANCE in known) and COPY not in known:
        return
    db.execute("BEGIN IMMEDIATE")
    if instance is not None:
        put_meta(db, INSTANCE, str(instance))
    if COPY in known:
        put_in_force(db, now)
        put_meta(db, SPARED, EVERYTHING)
    db.execute("COMMIT")


def put_in_force(db: sqlite3.Connection, now: str) -> None:
    """The file is the datastore from now on, whatever it was written as: later copies were known, and of what
    was under way when it was written nothing is."""
    drop_meta(db, COPY)
    put_meta(db, RESTORED, now)
    drop_unfinished(db)


def drop_unfinished(db: sqlite3.Connection) -> None:
    """Forget what is under way and what is left over: nothing that a later start could finish."""
    held = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in sorted({"journal", "leftover"} & held):  # a file of an older layout has no `leftover` yet
        db.execute(f"DELETE FROM {name}")


def put_spared(db: sqlite3.Connection, objects: Iterable[Path] | None, key: str = SPARED) -> None:
    """The objects that are left alone; None: all that are found."""
    text = EVERYTHING if objects is None else json.dumps(sorted(str(path) for path in objects))
    put_meta(db, key, text)


def spared(text: str) -> frozenset[Path] | None:
    """The objects that are left alone, from what is kept of them; None: all that are found."""
    if text == EVERYTHING:
        return None
    return frozenset(parse(path) for path in json.loads(text or "[]"))
