"""What commands do to a datastore file while no agent runs on it. The caller holds the lock."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path as FilePath
from uuid import UUID

from twinplane.transaction import copy, table
from twinplane.transaction import purge as purging
from twinplane.transaction.migration import migrate
from twinplane.transaction.purge import Fits, Purged
from twinplane_wire.path import Path


def begin(file: FilePath, instance: UUID, *, spare: bool) -> None:
    """Write a datastore without configuration or history. With `spare` all that is found at the next start is
    left alone; else it is removed.

    Raises:
        UnreadableError, OSError: it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.new")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with copy.opened(temporary) as db:
        migrate(db, temporary)
        _put(db, file, instance, table.EVERYTHING if spare else "[]")
    copy.put_in_place(temporary, file)
    temporary.unlink(missing_ok=True)


def adopt(file: FilePath, instance: UUID) -> None:
    """Go on from a datastore, copy or not, with its configuration and history, and leave alone what it does
    not know. Raises UnreadableError."""
    _change(file, lambda db: _put(db, file, instance, table.EVERYTHING))


def restore(source: FilePath, file: FilePath, instance: UUID) -> None:
    """Put another datastore file in the place of one: it is adopted before it is there, so that no start in
    between takes it for what it was. Raises UnreadableError, OSError."""
    temporary = file.with_name(f".{file.name}.restored")
    try:
        temporary.write_bytes(b"")
        temporary.chmod(0o600)
        shutil.copyfile(source, temporary)
        _change(temporary, lambda db: _put(db, file, instance, table.EVERYTHING))
        copy.put_in_place(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def spare(file: FilePath, objects: Iterable[Path]) -> None:
    """Leave these objects alone and no others, also where the file is a copy, or a commit waits in it that
    the next start rolls back. Raises UnreadableError."""
    kept = frozenset(objects)

    def work(db: sqlite3.Connection) -> None:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        if table.COPY in meta:
            table.put_in_force(db, _now(file))
        known, before = (table.spared(meta.get(key, "")) for key in (table.SPARED, table.SPARED_BEFORE))
        table.put_spared(db, kept)
        again = kept if known is None or before is None else before - (known - kept)
        table.put_spared(db, again, table.SPARED_BEFORE)

    _change(file, work)


def purge(file: FilePath, leaves: Sequence[Path], fits: Fits) -> Purged:
    """Take the values at these paths out of the history; a file of an older layout is migrated first, which
    leaves a copy.

    Raises:
        StartError: it cannot be done now. UnreadableError, OSError: the file cannot be read or written.
    """
    with copy.opened(file) as db:
        copy.require_sound(db)
        migrate(db, file)
        return purging.purge(db, leaves, fits)


def holds(file: FilePath, leaves: Sequence[Path]) -> bool:
    """Whether a file holds a value at one of these paths; True for one that cannot be read."""
    try:
        with copy.opened(file) as db:
            return purging.holds(db, leaves)
    except copy.UnreadableError:
        return True


def _put(db: sqlite3.Connection, file: FilePath, instance: UUID, spared: str) -> None:
    table.put_in_force(db, _now(file))
    table.put_meta(db, table.INSTANCE, str(instance))
    table.put_meta(db, table.SPARED, spared)


def _now(file: FilePath) -> str:
    return copy.moment(file.with_name(copy.FOLDER))


def _change(file: FilePath, work: Callable[[sqlite3.Connection], None]) -> None:
    with copy.opened(file) as db:
        db.execute("BEGIN IMMEDIATE")
        work(db)
        db.execute("COMMIT")
