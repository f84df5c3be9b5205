"""Copies of the datastore file: written while the agent works, named by time and commit, put in place again.

A copy is one file without a log of its own, of one moment, checked after it was written. It says of itself
that it is a copy (meta: ``copy``): whatever opens it as the datastore knows that the host may be further than
it.
"""

import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from twinplane.errors import TwinplaneError
from twinplane.transaction import piece, table

FOLDER = "copies"
STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<stamp>\d{8}T\d{6}Z)-c(?P<revision>\d+)(?:-layout-(?P<layout>\d+))?\.db")
_PAGES = 256  # at a time: 1 MiB
_UNFINISHED = ".new"
_LEFT = 86_400  # seconds after which nobody is at an unfinished copy any more
_PAUSE = 0.001  # seconds between two steps, for whoever else wants the disk
_SUFFIXES = ("-wal", "-shm", "")  # the log first: alone it is nothing, beside another file it is damage


class UnreadableError(TwinplaneError):
    """A datastore file that is damaged, is not one, or cannot be read or written; says which and why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy by its name: when it was written (a stamp in UTC), and its newest commit. `layout` is that of
    a copy which was kept before a migration, else None."""

    file: Path
    stamp: str
    revision: int
    layout: int | None = None

    def __str__(self) -> str:
        kept = "" if self.layout is None else f", kept before the migration of layout {self.layout}"
        return f"{self.file.name} (commit {self.revision}{kept})"


@dataclass(frozen=True, slots=True)
class Content:
    """What a datastore file says of itself. `objects` are the bodies by path, as text; `spared` is as in
    `transaction/spare.py`."""

    layout: int
    instance: UUID | None
    revision: int
    time: int
    objects: dict[str, bytes]
    is_copy: bool
    spared: str


def stamp(seconds: float | None = None) -> str:
    """A time (now, without one) as names of copies have it."""
    return datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC).strftime(STAMP)


def moment(folder: Path) -> str:
    """A stamp of now that no copy in the folder is later than, whatever was done to the clock."""
    return max([stamp(), *(one.stamp for one in listed(folder)[:1])])


def listed(folder: Path) -> tuple[Copy, ...]:
    """The copies in a folder, newest first; none where there is no folder."""
    found = [(file, match) for file in folder.glob("*.db") if (match := _NAME.fullmatch(file.name))]
    copies = [
        Copy(file, match["stamp"], int(match["revision"]), int(match["layout"]) if match["layout"] else None)
        for file, match in found
    ]
    return tuple(sorted(copies, key=lambda one: (one.stamp, one.revision), reverse=True))


def write(
    source: Path, folder: Path, *, layout: int | None = None, stopped: Callable[[], bool] = lambda: False
) -> Copy:
    """Copy a datastore file that may be in use; the writer goes on meanwhile (sqlite.org/backup.html, and
    wal.html: a reader holds up no writer). Where `stopped` says so between two steps, it ends early.

    Raises:
        UnreadableError, OSError: it could not be written, or is damaged; then no copy is left.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor, name = tempfile.mkstemp(suffix=_UNFINISHED, prefix=".", dir=folder)
    os.close(descriptor)
    temporary = Path(name)

    def pause(_status: int, _remaining: int, _total: int) -> None:
        if stopped():
            raise InterruptedError("the agent stops")
        time.sleep(_PAUSE)

    try:
        with opened(source) as db, opened(temporary) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # the whole file is synced below
            db.execute("BEGIN")  # of one moment: else each commit meanwhile would begin it again
            revision = newest(db)
            db.backup(copy, pages=_PAGES, progress=pause)
            copy.execute("PRAGMA journal_mode = DELETE")
            # What was under way when it was written is nothing that a later start could finish.
            table.drop_unfinished(copy)
            made = _next(folder)
            table.put_meta(copy, table.COPY, made)
            require_sound(copy)
        ending = "" if layout is None else f"-layout-{layout}"
        return _placed(temporary, folder, f"{made}-c{revision}{ending}.db", made, revision, layout)
    except BaseException:
        _remove(temporary)
        raise


def prune(folder: Path, kept: int) -> None:
    """Let the oldest copies go but for the newest `kept`; those kept before a migration count apart. What an
    end of the process left unfinished goes as well."""
    found = listed(folder)
    for group in ([one for one in found if one.layout is None], [one for one in found if one.layout]):
        for old in group[kept:]:
            old.file.unlink(missing_ok=True)
    for file in folder.glob(f".*{_UNFINISHED}"):
        if file.stat().st_mtime < time.time() - _LEFT:
            _remove(file)


def content(file: Path) -> Content:
    """What a file holds, by looking alone.

    Raises:
        UnreadableError: it is damaged, is not a datastore, or cannot be read.
    """
    with opened(file) as db:
        require_sound(db)
        layout = int(db.execute("PRAGMA user_version").fetchone()[0])
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        last = db.execute("SELECT number, time FROM commits ORDER BY number DESC LIMIT 1").fetchone()
        rows = db.execute("SELECT origin, path, body FROM object").fetchall()
        instance, (revision, moment) = meta.get(table.INSTANCE), last or (0, 0)
        return Content(
            layout=layout,
            instance=None if instance is None else UUID(instance),
            revision=revision,
            time=moment,
            objects={
                (f"{origin}:" if origin else "") + path: piece.whole(db, bytes(body))
                for origin, path, body in rows
            },
            is_copy=table.COPY in meta,
            spared=meta.get(table.SPARED, ""),
        )


def newest_good(folder: Path) -> Copy | None:
    """The newest copy that can be read and is not damaged."""
    for copy in listed(folder):
        try:
            content(copy.file)
        except UnreadableError:
            continue
        return copy
    return None


def remedy(file: Path) -> str:
    """What to do about a damaged or lost datastore file: the newest good copy, and the command."""
    good = newest_good(file.with_name(FOLDER))
    if good is None:
        return (
            "there is no good copy of it; `twinplane-agent state adopt` goes on without it and leaves alone "
            "what runs"
        )
    return f"`twinplane-agent state restore {good.file.name}` puts the newest good copy in place"


def put_in_place(copy: Path, file: Path) -> None:
    """Make a copy the datastore file; what was there is put aside first (`put_aside`). Raises OSError."""
    temporary = file.with_name(f".{file.name}.new")
    body = copy.read_bytes()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(descriptor)
    temporary.rename(file)
    _sync_folder(file.parent)


def put_aside(file: Path, folder: Path) -> Path | None:
    """Move a datastore file with its log to where the copies are; None where there is nothing to move."""
    if not file.exists() or (file.stat().st_size == 0 and not file.with_name(f"{file.name}-wal").exists()):
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"replaced-{stamp()}.db"
    for suffix in _SUFFIXES:
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    _sync_folder(folder)
    _sync_folder(file.parent)
    return target


def newest(db: sqlite3.Connection) -> int:
    """The number of the newest commit in a file; 0: none yet."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM commits").fetchone()[0])


def require_sound(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is damaged (sqlite.org/pragma.html, quick_check)."""
    found: Sequence[tuple[str]] = db.execute("PRAGMA quick_check(1)").fetchall()
    if [row[0] for row in found] != ["ok"]:
        said = found[0][0].splitlines()[-1] if found else "nothing was said"
        raise sqlite3.DatabaseError(f"database disk image is malformed: {said}")


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a datastore file that is there. Raises UnreadableError for whatever SQLite says."""
    if not file.exists():
        raise UnreadableError(f"there is no {file}")
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            yield db
    except (sqlite3.Error, ValueError) as error:
        raise UnreadableError(f"{file}: {error}") from error


def _next(folder: Path) -> str:
    """The stamp of a new copy: it is the newest, also where the clock was set back."""
    now = moment(folder)
    if all(one.stamp < now for one in listed(folder)[:1]):
        return now
    return stamp(datetime.strptime(now, STAMP).replace(tzinfo=UTC).timestamp() + 1)


def _placed(temporary: Path, folder: Path, name: str, made: str, revision: int, layout: int | None) -> Copy:
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    target = folder / name
    temporary.rename(target)
    _sync_folder(folder)
    return Copy(target, made, revision, layout)


def _remove(file: Path) -> None:
    for suffix in (*_SUFFIXES, "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
