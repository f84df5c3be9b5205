"""What a datastore file has to be before anything is believed of it: whole, ours, and not older than its
copies.

An empty file is a new one only where nothing says that there was another. What is missing is never taken for
a wish: whoever starts from less than there was would end every guest that the rest spoke of.
"""

import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

from twinplane.errors import StartError
from twinplane.transaction import copy, table

LIMIT = 5.0  # seconds for a look at every page
_STEPS = 100_000  # instructions of SQLite's machine between two looks at the clock

log = logging.getLogger(__name__)


def check(
    db: sqlite3.Connection,
    file: Path,
    migrations: Sequence[str],
    *,
    instance: UUID | None,
    expected: bool,
    limit: float = LIMIT,
) -> None:
    """Judge an open file before it is migrated or read. `expected` says that it was there before.

    Raises:
        StartError: it is damaged, lost what it held, belongs to another instance, or is older than a copy of
            it; says how to go on. A file of a newer program is for the migration to refuse.
    """
    try:
        layout = int(db.execute("PRAGMA user_version").fetchone()[0])
        if layout > len(migrations):
            return
        _look(db, file, limit)
        tables = _tables(db)
        if layout == 0:
            if expected or tables:
                raise _damaged(file, "it holds no configuration, though there was one")
            return
        if lacking := _layout(migrations[:layout]) - tables:
            raise _damaged(file, f"it lacks {', '.join(sorted(lacking))}")
    except sqlite3.OperationalError:
        raise  # the disk, a lock, rights: nothing is said about the file
    except sqlite3.DatabaseError as error:
        raise _damaged(file, str(error)) from error
    meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
    _require_ours(file, meta.get(table.INSTANCE), instance)
    if table.COPY not in meta:
        _require_newest(db, file, meta.get(table.RESTORED, ""))


def _look(db: sqlite3.Connection, file: Path, limit: float) -> None:
    """Read every page, for a while: a long history must not keep the agent from serving. Each copy that is
    written later is looked at in full."""
    end = time.monotonic() + limit
    db.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        copy.require_sound(db)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        log.warning("%s was checked for %.0f s and not to its end; its next copy will be", file, limit)
    finally:
        db.set_progress_handler(None, 0)


def _damaged(file: Path, what: str) -> StartError:
    return StartError(f"{file} is damaged: {what}; nothing was touched; {copy.remedy(file)}")


def _require_ours(file: Path, held: str | None, instance: UUID | None) -> None:
    if held is not None and instance is not None and held != str(instance):
        raise StartError(
            f"{file} is the datastore of instance {held}, and the file instance-id says {instance}: one of "
            "them comes from another state directory; nothing was touched; put back the one that belongs "
            "here (`twinplane-agent state show` says what else is there)"
        )


def _require_newest(db: sqlite3.Connection, file: Path, restored: str) -> None:
    newest = copy.newest(db)
    later = [
        one
        for one in copy.listed(file.with_name(copy.FOLDER))
        if one.stamp > restored and one.revision > newest
    ]
    if later:
        raise StartError(
            f"{file} ends with commit {newest} and is older than its copy {later[0]}: it was put back or "
            f"lost its log; nothing was touched; `twinplane-agent state restore {later[0].file.name}` goes "
            "on from the copy, `twinplane-agent state adopt` from the file"
        )


def _tables(db: sqlite3.Connection) -> frozenset[str]:
    rows = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    return frozenset(f"{kind} {name}" for kind, name in rows)


def _layout(migrations: Sequence[str]) -> frozenset[str]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript("".join(migrations))
        return _tables(db)
