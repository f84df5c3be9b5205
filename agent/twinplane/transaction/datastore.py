"""Running configuration, history and the journal row in one SQLite file.

One thread of its own touches the file, for an fsync blocks whoever waits for it. WAL with synchronous FULL:
a commit that returned survives the loss of power (sqlite.org/pragma.html, synchronous; wal.html). The journal
row is written without that wait (NORMAL). It survives the end of the process, which is what it is for: with
the power, all that only the row could tell of is gone too (kernel objects, guests, values of host ports), and
what stays on disk is found without it. How an object becomes bytes is injected: this file knows no YANG.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Protocol, TypeVar
from uuid import UUID

from twinplane.errors import StartError, UnavailableError
from twinplane.plan.resource import ForeignValue, Key
from twinplane.transaction import copy, notice, piece, recording, soundness, table
from twinplane.transaction.bell import Bell
from twinplane.transaction.journal import Entry, Status
from twinplane.transaction.leftover import Leftover
from twinplane.transaction.migration import MIGRATIONS, migrate
from twinplane.transaction.object_tree import graft, object_at
from twinplane.transaction.record import Commit, Confirmation
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest
from twinplane.tree.node import Container
from twinplane_wire.path import Path, parse

KEPT = 10_000
LONGEST_LOG = 4 << 20  # bytes that the write-ahead log keeps of the disk once it was longer
# Keys of the table meta.
ELECTION = "election "  # in front of a role
ANNOTATION = "annotation"
ANNOTATION_BEFORE = "annotation before"  # the commit that waits

T = TypeVar("T")
log = logging.getLogger(__name__)


class Codec(Protocol):
    """How one object (path, node) becomes bytes and back: JSON_IETF in the product."""

    def encode(self, path: Path, node: Container) -> bytes:
        """The object as JSON text in UTF-8."""

    def decode(self, path: Path, body: bytes) -> Container:
        """The object that `encode` was given; raises ValueError or RequestError where it does not fit."""


@dataclass(frozen=True, slots=True)
class Running:
    """What is configured: the trees, the number of the newest commit (0: none yet) and its time (ns)."""

    forest: Forest = NOTHING
    revision: int = 0
    time: int = 0

    @property
    def root(self) -> Container:
        """The tree of the default origin."""
        return self.forest.tree()


@dataclass(frozen=True, slots=True)
class Stored:
    """What the file held at start; `modules` is the hash of the module set that wrote it ("": new file).

    `pending` is the commit that waits for its confirmation, the newest one; `reverse` takes it back, and
    `annotation_before` is the text that was kept before it.
    `elections` are the highest numbers seen, by role.
    """

    running: Running
    modules: str
    entry: Entry | None
    foreign: tuple[ForeignValue, ...]
    pending: "Pending | None" = None
    reverse: tuple[ObjectChange, ...] = ()
    annotation_before: str = ""
    elections: Mapping[str, int] = field(default_factory=dict)
    left: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """A commit that waits for its confirmation: its client's name for it, its user, its number."""

    name: str
    author: str
    number: int


class Datastore:
    """The file. Methods raise `UnavailableError` where it cannot be written, and then keep nothing."""

    def __init__(
        self,
        file: FilePath,
        codec: Codec,
        migrations: Sequence[str] = MIGRATIONS,
        *,
        kept: int = KEPT,
        instance: UUID | None = None,
        expected: bool = False,
    ) -> None:
        """`kept` is how many records of commits stay, the newest ones; `instance` is whose file it has to be,
        and `expected` says that it was there before."""
        # Objects that nobody configured and that are left alone; None: all that are found
        # (transaction/spare.py).
        self.spared: frozenset[Path] | None = frozenset()
        self._spared_before: frozenset[Path] | None = frozenset()  # the commit that waits
        self._instance = instance
        self._expected = expected
        self._file = file
        self._codec = codec
        self._kept = kept
        self.bell = Bell()  # rings when an event was stored
        self._migrations = migrations
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="datastore")
        self._db: sqlite3.Connection | None = None
        self._annotation = ""

    async def open(self) -> Stored:
        """Open or create the file, bring it to the newest layout and read what it holds.

        Raises:
            StartError: it cannot be opened or written, is newer than this program, does not decode, or is not
                what it has to be (transaction/soundness.py).
        """
        return await self._run(self._open)

    async def begin(self, entry: Entry) -> None:
        """Write the intent, with the foreign values it takes, before the first effect."""
        await self._write(lambda db: table.begin(db, entry), level="NORMAL")

    async def commit(
        self,
        commit: Commit,
        changes: Sequence[ObjectChange],
        entry: Entry | None,
        modules: str,
        pending: Pending | None = None,
        *,
        annotation: str = "",
        caused: Sequence[notice.Notice] = (),
        settled: Iterable[Key] = (),
    ) -> None:
        """The commit point: touched objects, the record, the journal row and the events it causes, all or
        nothing.

        With `entry` the row stays as COMMITTED for the final steps; else it goes with the commit. With
        `pending` the commit waits for its confirmation; one that waited until now does no longer. What was
        left over under the keys `settled` is no longer.
        """

        before, spared = self.spared, self.spared
        if spared:
            spared -= {change.path for change in changes}

        def write(db: sqlite3.Connection) -> None:
            nonlocal spared
            taken_back = table.settle(db, Confirmation.TAKEN_BACK)
            recording.write(db, commit, changes, self._codec.encode, self._kept)
            table.put_meta(db, "modules", modules)
            if entry is None:
                db.execute("DELETE FROM journal")
            else:
                table.put_entry(db, entry)
            table.drop_leftovers(db, settled)
            if taken_back and before is not None:
                spared = self._spared_before  # what is not configured after all is left alone again
            if spared != before:
                table.put_spared(db, spared)
            if annotation != self._annotation:
                table.put_meta(db, ANNOTATION, annotation)
            confirmation = Confirmation.TAKEN_BACK if taken_back else commit.confirmation
            notice.write(db, [notice.of_commit(commit, changes, confirmation.value), *caused])
            if pending is not None:
                db.execute(
                    "INSERT INTO confirm (id, name, author, number) VALUES (1, ?, ?, ?)",
                    (pending.name, pending.author, pending.number),
                )
                table.put_meta(db, ANNOTATION_BEFORE, self._annotation)
                table.put_spared(db, before, table.SPARED_BEFORE)

        await self._write(write)
        self._annotation, self.spared = annotation, spared
        if pending is not None:
            self._spared_before = before
        self.bell.ring()

    async def spare(self, objects: frozenset[Path]) -> None:
        """Leave these objects alone for as long as they are not configured, and no others."""
        await self._write(lambda db: table.put_spared(db, objects))
        self.spared = objects

    async def confirm(self, author: str, time: int) -> None:
        """The commit that waits is for good: its user said so, at a time in ns since the epoch."""

        def write(db: sqlite3.Connection) -> None:
            for number in table.settle(db, Confirmation.CONFIRMED):
                (text,) = db.execute("SELECT forward FROM commits WHERE number = ?", (number,)).fetchone()
                objects = [edit["path"] for edit in json.loads(text)]
                notice.write(db, [notice.of_confirmation(number, author, objects, time)])

        await self._write(write)
        self.bell.ring()

    async def note(self, notices: Iterable[notice.Notice]) -> None:
        """Keep events that no commit causes."""
        kept = tuple(notices)
        await self._write(lambda db: notice.write(db, kept))
        self.bell.ring()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Look at the file, in its thread. Raises UnavailableError where it cannot be read."""

        def look() -> T:
            if self._db is None:
                raise UnavailableError("the datastore is closed")
            try:
                return work(self._db)
            except sqlite3.Error as error:
                raise UnavailableError(f"{self._file} cannot be read: {error}") from error

        return await self._run(look)

    async def keep_election(self, role: str, number: int) -> None:
        """Remember the highest election number of a role."""
        await self._write(lambda db: table.put_meta(db, ELECTION + role, str(number)))

    async def conclude(self, end: table.End) -> None:
        """A transaction or a repair is over; all of it or nothing is kept."""
        await self._write(lambda db: table.conclude(db, end), level="NORMAL")

    async def move_foreign(self, gone: Iterable[ForeignValue], come: Iterable[ForeignValue]) -> None:
        """Keep other values in the place of some: their devices go by other names now."""
        dropped, kept = tuple(gone), tuple(come)
        await self._write(lambda db: table.move_foreign(db, dropped, kept))

    async def keep_foreign(self, values: Iterable[ForeignValue]) -> None:
        """Make values of foreign attributes durable before they are changed outside a journal row."""
        kept = tuple(values)
        await self._write(lambda db: table.keep_foreign(db, kept))

    async def close(self) -> None:
        """Finish what the thread is doing, close the file and end the thread."""
        await self._run(self._close)
        self._thread.shutdown(wait=True)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self, work: Callable[[sqlite3.Connection], object], *, level: str = "FULL") -> None:
        def transaction() -> None:
            db = self._db
            if db is None:
                raise UnavailableError("the datastore is closed")
            try:
                if db.in_transaction:  # a disk that failed did not even let it be rolled back
                    db.execute("ROLLBACK")
                db.execute(f"PRAGMA synchronous = {level}")
                db.execute("BEGIN IMMEDIATE")
                work(db)
                db.execute("COMMIT")
            except BaseException as error:
                # After a failed COMMIT the transaction may still be open (sqlite.org/lang_transaction.html).
                with suppress(sqlite3.Error):
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise UnavailableError(
                        f"{self._file} cannot be written: {error}; free some space or make it writable, "
                        "then repeat the request"
                    ) from error
                raise

        await self._run(transaction)

    def _open(self) -> Stored:
        try:
            db = sqlite3.connect(self._file, isolation_level=None)
        except sqlite3.Error as error:
            raise StartError(f"{self._file} cannot be opened: {error}; is the folder writable?") from error
        try:
            soundness.check(
                db, self._file, self._migrations, instance=self._instance, expected=self._expected
            )
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA journal_size_limit = {LONGEST_LOG}")
            migrate(db, self._file, self._migrations)
            table.settle_in(db, self._instance, copy.moment(self._file.with_name(copy.FOLDER)))
            stored = self._load(db)
        except sqlite3.Error as error:
            db.close()
            raise StartError(
                f"{self._file} cannot be used: {error}; the folder must be writable and have free space"
            ) from error
        except (OSError, copy.UnreadableError) as error:
            db.close()
            raise StartError(
                f"{self._file} is migrated once a copy of it is kept, and none can be written: {error}"
            ) from error
        except BaseException:
            db.close()
            raise
        self._db = db
        return stored

    def _load(self, db: sqlite3.Connection) -> Stored:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        # Rows in the order in which they were first written: that of a user-ordered list.
        rows = db.execute("SELECT origin, path, body FROM object ORDER BY rowid").fetchall()
        objects = [self._decode(origin, path, piece.whole(db, body)) for origin, path, body in rows]
        last = db.execute("SELECT number, time FROM commits ORDER BY number DESC LIMIT 1").fetchone()
        number, time = last or (0, 0)
        row = db.execute("SELECT number, status, body FROM journal").fetchone()
        foreign = db.execute(
            "SELECT device, attribute, value, owner, ifindex, address FROM foreign_values"
        ).fetchall()
        self._annotation = meta.get(ANNOTATION, "")
        self.spared = table.spared(meta.get(table.SPARED, ""))
        self._spared_before = table.spared(meta.get(table.SPARED_BEFORE, ""))
        forest = replace(graft(objects), annotation=self._annotation)
        waits = db.execute("SELECT name, author, number FROM confirm").fetchone()
        return Stored(
            running=Running(forest, number, time),
            modules=meta.get("modules", ""),
            entry=Entry.read(number=row[0], status=Status(row[1]), body=row[2]) if row else None,
            foreign=tuple(ForeignValue(d, a, v, parse(o), *where) for d, a, v, o, *where in foreign),
            pending=Pending(*waits) if waits else None,
            reverse=tuple(self._reverse(db, waits[2], forest)) if waits else (),
            annotation_before=meta.get(ANNOTATION_BEFORE, ""),
            elections={
                key.removeprefix(ELECTION): int(value)
                for key, value in meta.items()
                if key.startswith(ELECTION)
            },
            left=table.leftovers(db),
        )

    def _reverse(self, db: sqlite3.Connection, number: int, forest: Forest) -> Iterator[ObjectChange]:
        """What takes back the newest commit."""
        (text,) = db.execute("SELECT reverse FROM commits WHERE number = ?", (number,)).fetchone()
        for edit in json.loads(text):
            path = parse(edit["path"])
            body = piece.text_of(db, edit)
            before = None if body is None else self._decode(path.origin, _text(path), body)[1]
            yield ObjectChange(path, object_at(forest.tree(path.origin), path), before)

    def _decode(self, origin: str, text: str, body: bytes) -> tuple[Path, Container]:
        path = Path(parse(text).elems, origin)
        try:
            return path, self._codec.decode(path, body)
        except Exception as error:
            raise StartError(f"{self._file}: the stored object {text} cannot be read: {error}") from error

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _text(path: Path) -> str:
    return str(Path(path.elems))
