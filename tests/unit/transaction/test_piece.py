"""Long objects in pieces: the text comes back, a small change costs little, nothing stays that nobody
needs."""

import json
import random
import sqlite3
import string
from collections.abc import Callable
from contextlib import closing
from pathlib import Path as File

from hypothesis import given
from hypothesis import strategies as st

from doubles.loop import in_loop
from doubles.texts import Texts, commit
from twinplane.transaction import piece
from twinplane.transaction.datastore import Datastore, Running
from twinplane.transaction.history import History
from twinplane.transaction.migration import MIGRATIONS
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container
from twinplane_wire.path import parse

PATH = parse("/a/row[name=z]")
BODY = "".join(random.Random(1).choices(string.ascii_letters + "\n", k=200_000))


def version(number: int) -> Container:
    return Container({"name": "z", "description": f"d{number}", "content": BODY})


async def changed(
    folder: File, count: int, kept: int = 1000, made: Callable[[int], Container | None] = version
) -> tuple[Datastore, Running, list[Forest]]:
    """So many commits of one long object."""
    store = Datastore(folder / "db", Texts(), kept=kept)
    await store.open()
    forests = [NOTHING]
    before: Container | None = None
    for number in range(1, count + 1):
        after = made(number)
        change = ObjectChange(PATH, before, after)
        await store.commit(commit(number), [change], None, "")
        forests.append(forests[-1].changed([change]))
        before = after
    return store, Running(forests[-1], count, count), forests


def size(folder: File) -> int:
    return sum(file.stat().st_size for file in folder.glob("db*"))


@given(st.lists(st.sampled_from([b",", b"\\n", b"x" * 50, b"abc", b"\\", b"y" * 20_000, b'"']), max_size=200))
def test_the_pieces_are_the_text(parts: list[bytes]) -> None:
    body = b"".join(parts)
    assert b"".join(piece.cut(body)) == body


def test_a_change_leaves_nearly_all_pieces_as_they_are() -> None:
    lines = BODY.split("\n")
    before = set(piece.cut(json.dumps({"content": BODY}).encode()))
    lines[len(lines) // 2] = "something else, and longer than what was there before"
    after = set(piece.cut(json.dumps({"a": 1, "content": "\n".join(lines)}).encode()))
    assert len(before) > 50 and len(after - before) <= 4


@in_loop
async def test_a_change_of_one_leaf_costs_little_however_long_its_object_is(tmp_path: File) -> None:
    store, _, _ = await changed(tmp_path, 1)
    await store.close()
    first = size(tmp_path)
    again = Datastore(tmp_path / "db", Texts())
    await again.open()
    for number in range(2, 102):
        await again.commit(
            commit(number), [ObjectChange(PATH, version(number - 1), version(number))], None, ""
        )
    await again.close()
    assert (size(tmp_path) - first) / 100 < 10_000


@in_loop
async def test_every_version_comes_back(tmp_path: File) -> None:
    def made(number: int) -> Container | None:
        return None if number % 4 == 0 else version(number % 3)

    store, running, forests = await changed(tmp_path, 13, made=made)
    history = History(store, Texts().decode)
    for number in range(1, 14):
        assert not changes(forests[number], await history.forest(number, running)), number
        _, (change,) = await history.commit(number)
        assert (change.before, change.after) == (made(number - 1) if number > 1 else None, made(number))
    await store.close()
    again = Datastore(tmp_path / "db", Texts())
    assert not changes(forests[13], (await again.open()).running.forest)
    await again.close()


@in_loop
async def test_pieces_go_with_the_last_record_that_needs_them(tmp_path: File) -> None:
    def made(number: int) -> Container | None:
        text = "".join(random.Random(number).choices(string.ascii_letters + "\n", k=50_000))
        return Container({"name": "z", "content": text})

    store, running, forests = await changed(tmp_path, 9, kept=3, made=made)
    history = History(store, Texts().decode)
    for number in (7, 8, 9):
        assert not changes(forests[number], await history.forest(number, running)), number
    assert await store.read(_unneeded) == set()
    assert await store.read(_numbers) != set()
    for number in range(10, 14):  # the object is gone, and then all that told of it
        before = made(9) if number == 10 else None
        await store.commit(commit(number), [ObjectChange(PATH, before, None)] if before else [], None, "")
    assert await store.read(_numbers) == set()
    await store.close()


@in_loop
async def test_records_of_before_are_read_and_objects_go_into_pieces_with_their_next_change(
    tmp_path: File,
) -> None:
    older = MIGRATIONS[:4]
    text = json.dumps(dict(version(1).children))
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as db:
        db.executescript("".join(older) + f"PRAGMA user_version = {len(older)}")
        edit = f'{{"path": "{PATH}", "operation": "replace", "value": {text}}}'
        db.execute("INSERT INTO object VALUES ('', ?, ?)", (str(PATH), text.encode()))
        db.execute(
            "INSERT INTO commits VALUES (1, 1, 'a', 'b', 'c', 'd', ?, ?, '')",
            (f"[{edit}]", f'[{{"path": "{PATH}", "operation": "delete"}}]'),
        )
        db.execute("INSERT INTO touched VALUES (?, 1)", (str(PATH),))
    store = Datastore(tmp_path / "db", Texts())
    await store.open()
    await store.commit(commit(2), [ObjectChange(PATH, version(1), version(2))], None, "")
    length = await store.read(lambda db: db.execute("SELECT length(body) FROM object").fetchone()[0])
    assert length < len(text) / 10
    history = History(store, Texts().decode)
    _, (change,) = await history.commit(2)
    assert (change.before, change.after) == (version(1), version(2))
    _, (change,) = await history.commit(1)
    assert (change.before, change.after) == (None, version(1))
    await store.close()


def _numbers(db: sqlite3.Connection) -> set[int]:
    return {number for (number,) in db.execute("SELECT id FROM piece")}


def _unneeded(db: sqlite3.Connection) -> set[int]:
    """The pieces that no object and no record refers to."""
    needed: set[int] = set()
    for (body,) in db.execute("SELECT body FROM object"):
        needed.update(json.loads(body) if bytes(body).startswith(b"[") else ())
    for texts in db.execute("SELECT forward, reverse FROM commits"):
        for edit in (edit for text in texts for edit in json.loads(text)):
            needed.update(edit.get("pieces", ()))
    return _numbers(db) - needed
