"""The file: what is kept comes back, also from older layouts; what cannot be kept loses nothing."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from doubles.loop import in_loop
from doubles.process import run_module
from doubles.texts import Texts, change, commit
from twinplane.errors import StartError, UnavailableError
from twinplane.plan.resource import ForeignValue, Key, Noun
from twinplane.transaction.copy import listed
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.journal import Entry, Status
from twinplane.transaction.leftover import Leftover
from twinplane.transaction.migration import MIGRATIONS
from twinplane.transaction.table import End
from twinplane.tree.diff import objects
from twinplane_wire.path import parse

OWNER = parse("/virtual-switches/virtual-switch[name=lan]/ports/port[interface=eth0]")


def store(folder: FilePath, migrations: tuple[str, ...] = MIGRATIONS) -> Datastore:
    return Datastore(folder / "twinplane.db", Texts(), migrations)


@in_loop
async def test_a_new_file_holds_nothing(tmp_path: FilePath) -> None:
    stored = await store(tmp_path).open()
    assert (stored.running.revision, stored.modules, stored.entry, stored.foreign) == (0, "", None, ())


@in_loop
async def test_objects_come_back_in_the_order_of_their_making(tmp_path: FilePath) -> None:
    first = store(tmp_path)
    await first.open()
    await first.commit(
        commit(1),
        [
            change("/a/row[name=z]", None, {"name": "z"}),
            change("/a/row[name=b]", None, {"name": "b"}),
            change(r"/a/row[name=c\]d/e]", None, {"name": "c]d/e"}),
            change("/a/single", None, {"leaf": "1"}),
            change("/b", None, {"loose": "2"}),
            change("/b/pair[x=1][y=2]", None, {"x": "1", "y": "2"}),
        ],
        None,
        "modules-1",
    )
    await first.commit(
        commit(2),
        [
            change("/a/row[name=z]", {"name": "z"}, {"name": "z", "more": "3"}),
            change("/a/row[name=b]", {"name": "b"}, None),
        ],
        None,
        "modules-2",
    )
    await first.close()
    again = store(tmp_path)
    stored = await again.open()
    await again.close()
    assert (stored.running.revision, stored.running.time, stored.modules) == (2, 1002, "modules-2")
    assert {str(path): dict(node.children) for path, node in objects(stored.running.root)} == {
        "/a/row[name=z]": {"name": "z", "more": "3"},
        r"/a/row[name=c\]d/e]": {"name": "c]d/e"},
        "/a/single": {"leaf": "1"},
        "/b": {"loose": "2"},
        "/b/pair[x=1][y=2]": {"x": "1", "y": "2"},
    }
    rows = stored.running.root.children["a"].children["row"].entries  # type: ignore[union-attr]
    assert list(rows) == [("z",), ("c]d/e",)]


@in_loop
async def test_history_leads_both_ways(tmp_path: FilePath) -> None:
    kept = store(tmp_path)
    await kept.open()
    await kept.commit(commit(1), [change("/a/row[name=z]", None, {"name": "z"})], None, "")
    await kept.commit(commit(2), [change("/a/row[name=z]", {"name": "z"}, None)], None, "")
    await kept.close()
    db = sqlite3.connect(tmp_path / "twinplane.db")
    rows = db.execute(
        "SELECT number, time, author, source, peer, comment, forward, reverse FROM commits ORDER BY number"
    ).fetchall()
    db.close()
    replace = {"path": "/a/row[name=z]", "operation": "replace", "value": {"name": "z"}}
    delete = {"path": "/a/row[name=z]", "operation": "delete"}
    assert rows[0][:6] == (1, 1001, "admin", "gnmi", "ipv4:192.0.2.1:4711", "why")
    assert [[json.loads(text) for text in row[6:]] for row in rows] == [
        [[replace], [delete]],
        [[delete], [replace]],
    ]


@in_loop
async def test_the_row_and_its_foreign_values(tmp_path: FilePath) -> None:
    value, other = ForeignValue("eth0", "mtu", 9000, OWNER), ForeignValue("eth0", "up", 1, OWNER)
    entry = Entry(
        number=1,
        status=Status.PENDING,
        base=0,
        objects=((OWNER, "create"),),
        steps=("PLUG create port eth0",),
        owners={Key(Noun.PORT, "eth0"): OWNER, Key(Noun.QDISC, "tp0 root"): OWNER},
        foreign=(value, other),
    )
    kept = store(tmp_path)
    await kept.open()
    await kept.begin(entry)
    await kept.close()

    kept = store(tmp_path)
    stored = await kept.open()
    assert stored.entry == entry and set(stored.foreign) == {value, other}
    await kept.commit(commit(1), [], entry.committed(), "")
    await kept.close()

    kept = store(tmp_path)
    stored = await kept.open()
    assert stored.entry == entry.committed() and stored.running.revision == 1
    await kept.conclude(End((other,)))
    await kept.close()

    kept = store(tmp_path)
    stored = await kept.open()
    assert stored.entry is None and stored.foreign == (value,)
    await kept.close()


@in_loop
async def test_what_is_left_over_stays_beside_the_rows_until_it_is_settled(tmp_path: FilePath) -> None:
    port, tap = Key(Noun.PORT, "eth0"), Key(Noun.TAP, "tp0")
    left = tuple(Leftover(key, OWNER, Status.PENDING, "busy") for key in (port, tap))
    entry = Entry(1, Status.PENDING, 0, (), (), {port: OWNER}, (ForeignValue("eth0", "mtu", 9000, OWNER),))
    kept = store(tmp_path)
    await kept.open()
    await kept.begin(entry)
    await kept.conclude(End(entry.foreign, left))
    await kept.begin(entry)
    await kept.close()

    kept = store(tmp_path)
    stored = await kept.open()
    assert (stored.entry, stored.left) == (entry, left)
    await kept.conclude(End(left=(replace(left[1], cause="gone"),), settled=(port,), row=False))
    await kept.close()

    kept = store(tmp_path)
    stored = await kept.open()
    assert (stored.entry, stored.left) == (entry, (replace(left[1], cause="gone"),))
    await kept.commit(commit(1), [], None, "", settled=[tap])
    await kept.close()
    kept = store(tmp_path)
    assert (await kept.open()).left == ()
    await kept.close()


def test_a_row_that_an_older_program_wrote_is_read() -> None:
    body = {"base": 0, "objects": [], "steps": [], "names": [["tap", "tp0"]], "foreign": []}
    entry = Entry.read(number=1, status=Status.PENDING, body=json.dumps(body).encode())
    assert entry.names == {Key(Noun.TAP, "tp0")}


@in_loop
async def test_half_a_commit_is_none(tmp_path: FilePath) -> None:
    kept = store(tmp_path)
    await kept.open()
    await kept.commit(commit(1), [change("/a/row[name=z]", None, {"name": "z"})], None, "")
    with pytest.raises(UnavailableError, match="UNIQUE"):
        await kept.commit(commit(1), [change("/a/row[name=y]", None, {"name": "y"})], None, "")
    await kept.close()
    again = store(tmp_path)
    assert [str(path) for path, _ in objects((await again.open()).running.root)] == ["/a/row[name=z]"]
    await again.close()


class Failing:
    """A connection whose disk fails at some words."""

    def __init__(self, db: sqlite3.Connection, *words: str) -> None:
        self.db, self.words = db, words

    @property
    def in_transaction(self) -> bool:
        return self.db.in_transaction

    def execute(self, text: str, *values: object) -> object:
        if text.startswith(self.words):
            raise sqlite3.OperationalError("disk I/O error")
        return self.db.execute(text, *values)


@in_loop
async def test_what_cannot_even_be_rolled_back_is_so_by_the_next_one(tmp_path: FilePath) -> None:
    first = store(tmp_path)
    await first.open()
    db = first._db
    assert db is not None
    first._db = Failing(db, "COMMIT", "ROLLBACK")  # type: ignore[assignment]
    with pytest.raises(UnavailableError, match="disk I/O error"):
        await first.keep_election("", 1)
    first._db = db
    await first.keep_election("", 2)
    await first.close()
    assert (await store(tmp_path).open()).elections == {"": 2}


@in_loop
async def test_an_older_layout_is_brought_forward_and_kept(tmp_path: FilePath) -> None:
    old = store(tmp_path)
    await old.open()
    await old.commit(commit(1), [change("/a/row[name=z]", None, {"name": "z"})], None, "")
    await old.close()
    newer = (*MIGRATIONS, "ALTER TABLE commits ADD COLUMN label TEXT NOT NULL DEFAULT ''")
    new = store(tmp_path, newer)
    assert (await new.open()).running.revision == 1
    await new.close()
    known = len(MIGRATIONS)
    (kept,) = listed(tmp_path / "copies")
    assert (kept.layout, kept.revision) == (known, 1)
    copy = sqlite3.connect(kept.file)
    assert copy.execute("PRAGMA user_version").fetchone() == (known,)
    assert copy.execute("SELECT path FROM object").fetchall() == [("/a/row[name=z]",)]
    copy.close()
    # The older program finds the newer file: it leaves it alone.
    before = (tmp_path / "twinplane.db").read_bytes()
    with pytest.raises(StartError, match=f"layout {known + 1}, this program knows up to {known}"):
        await store(tmp_path).open()
    assert (tmp_path / "twinplane.db").read_bytes() == before


@in_loop
async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: FilePath) -> None:
    old = store(tmp_path)
    await old.open()
    await old.close()
    broken = (*MIGRATIONS, "CREATE TABLE more (a); CREATE TABLE meta (b)")
    with pytest.raises(StartError, match="already exists"):
        await store(tmp_path, broken).open()
    again = store(tmp_path)
    await again.open()
    await again.close()


@in_loop
async def test_an_object_that_does_not_decode_stops_the_start(tmp_path: FilePath) -> None:
    kept = store(tmp_path)
    await kept.open()
    await kept.commit(commit(1), [change("/a/row[name=z]", None, {"refused": ""})], None, "")
    await kept.close()
    with pytest.raises(StartError, match=r"/a/row\[name=z\].*not of these modules"):
        await store(tmp_path).open()


@in_loop
async def test_what_is_no_database_stops_the_start(tmp_path: FilePath) -> None:
    (tmp_path / "twinplane.db").write_bytes(b"something else" * 100)
    with pytest.raises(StartError, match=r"twinplane\.db"):
        await store(tmp_path).open()
    with pytest.raises(StartError, match="missing"):
        await store(tmp_path / "missing").open()


def test_a_disk_without_room_loses_nothing(tmp_path: FilePath) -> None:
    told = json.loads(run_module("cramped", str(tmp_path), "limit"))
    assert len(told["errors"]) == 2 and told["same"] and told["kept"] and told["revision"] == 3
    assert all("twinplane.db cannot be written" in error for error in told["errors"])


@pytest.fixture
def open_folder() -> Iterator[FilePath]:
    """A folder that others may read (tmp_path is private)."""
    with tempfile.TemporaryDirectory() as name:
        folder = FilePath(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_stops_the_start(open_folder: FilePath) -> None:
    told = json.loads(run_module("cramped", str(open_folder), "read-only"))
    assert told["error"] is not None and "must be writable" in told["error"]
