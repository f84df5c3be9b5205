"""Old configurations: taken back from running or from a snapshot, bounded by what is kept."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path as File

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.transaction import history, notice
from twinplane.transaction.datastore import Datastore, Running
from twinplane.transaction.history import History
from twinplane.transaction.record import Commit
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path


class Plain:
    def encode(self, _: Path, node: Container) -> bytes:
        return json.dumps(dict(node.children)).encode()

    def decode(self, _: Path, body: bytes) -> Container:
        return Container(json.loads(body))


def row(name: str) -> Path:
    return ROOT.child("rows").child("row", ("name", name))


async def grown(store: Datastore, count: int) -> tuple[Running, list[Forest]]:
    """So many commits, which change a row each in turn, now and then delete one, and once a loose leaf; what
    was configured after each."""
    await store.open()
    forests = [NOTHING]
    for number in range(1, count + 1):
        path = ROOT.child("rows") if number == 5 else row(str(number % 3))
        before = None if not forests[-1].trees else _at(forests[-1], path)
        after = None if number % 7 == 0 and before else Container({"name": str(number % 3), "value": number})
        if number == 5:
            after = Container({"loose": 1})
        change = ObjectChange(path, before, after)
        await store.commit(Commit(number, number, "admin", "test", "", str(number)), [change], None, "")
        forests.append(forests[-1].changed([change]))
    return Running(forests[-1], count, count), forests


def _at(forest: Forest, path: Path) -> Container | None:
    return next((one.after for one in changes(NOTHING, forest) if one.path == path), None)


def run(folder: File, scenario: Callable[[Datastore, History], Awaitable[None]], kept: int = 1000) -> None:
    async def body() -> None:
        store = Datastore(folder / "db", Plain(), kept=kept)
        try:
            await scenario(store, History(store, Plain().decode))
        finally:
            await store.close()

    asyncio.run(body())


def test_every_commit_can_be_had_again(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SNAPSHOT_EVERY", 8)

    async def scenario(store: Datastore, kept: History) -> None:
        running, forests = await grown(store, 30)
        assert await store.read(lambda db: db.execute("SELECT count(*) FROM snapshot").fetchone()) == (3,)
        for number in range(1, 31):
            assert not changes(forests[number], await kept.forest(number, running)), number

    run(tmp_path, scenario)


def test_a_snapshot_shortens_the_way_where_much_came_and_went(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SNAPSHOT_EVERY", 8)
    used: list[int] = []
    read = History._snapshot

    def noted(self: History, db: sqlite3.Connection, number: int, lost: dict[Path, list[str]]) -> Forest:
        used.append(number)
        return read(self, db, number, lost)

    monkeypatch.setattr(History, "_snapshot", noted)

    async def scenario(store: Datastore, kept: History) -> None:
        await store.open()
        forests = [NOTHING]
        for number in range(1, 31):  # each commit brings one row and takes the one before the last away
            come = ObjectChange(row(str(number)), None, Container({"name": str(number)}))
            gone = [ObjectChange(row(str(number - 2)), Container({"name": str(number - 2)}), None)]
            both = [come, *(gone if number > 2 else [])]
            await store.commit(Commit(number, number, "admin", "test", "", ""), both, None, "")
            forests.append(forests[-1].changed(both))
        running = Running(forests[-1], 30, 30)
        for number in range(1, 31):
            assert not changes(forests[number], await kept.forest(number, running)), number
        assert set(used) == {8, 16, 24}

    run(tmp_path, scenario)


def test_what_is_not_kept_is_refused_by_name(tmp_path: File) -> None:
    async def scenario(store: Datastore, kept: History) -> None:
        running, forests = await grown(store, 9)
        assert await kept.oldest() == 6
        assert [one.number for one in await kept.commits(0, 100)] == [9, 8, 7, 6]
        assert [one.number for one in await kept.commits(8, 1)] == [7]
        assert not changes(forests[6], await kept.forest(6, running))
        for number in (5, 10):
            with pytest.raises(RequestError, match="6 to 9 are kept") as refusal:
                await kept.forest(number, running)
            assert refusal.value.violations[0].fault is Fault.NO_DATA

    run(tmp_path, scenario, kept=4)


def test_what_is_not_kept_leaves_nothing_behind(tmp_path: File) -> None:
    async def scenario(store: Datastore, _: History) -> None:
        await grown(store, 9)
        touched = await store.read(lambda db: db.execute("SELECT number FROM touched").fetchall())
        assert sorted(number for (number,) in touched) == [6, 7, 8, 9]

    run(tmp_path, scenario, kept=4)


def test_an_older_file_is_read_like_a_new_one(tmp_path: File) -> None:
    """What a commit touched is taken out of its record where an older program wrote it."""
    wanted: list[Forest] = []

    async def write(store: Datastore, _: History) -> None:
        _, forests = await grown(store, 12)
        wanted.extend(forests)
        await store.read(
            lambda db: db.executescript(
                "DROP TABLE touched; DROP TABLE leftover; DROP TABLE piece;"
                "ALTER TABLE foreign_values DROP COLUMN ifindex;"
                "ALTER TABLE foreign_values DROP COLUMN address; PRAGMA user_version = 3"
            )
        )

    async def read(store: Datastore, kept: History) -> None:
        running = (await store.open()).running
        for number in range(1, 13):
            assert not changes(wanted[number], await kept.forest(number, running)), number

    run(tmp_path, write)
    run(tmp_path, read)


def test_events_are_trimmed_and_their_numbers_go_on(tmp_path: File) -> None:
    async def scenario(store: Datastore, _: History) -> None:
        await grown(store, 5)
        event = notice.Notice("commit-confirmed", 9, ROOT, {})
        await store.read(lambda db: notice.write(db, [event], kept=2))
        assert await store.read(notice.bounds) == (5, 6)
        assert [one.sequence for one in await store.read(lambda db: notice.read(db, 0, 10))] == [5, 6]
        assert await store.read(lambda db: notice.before(db, 6)) == 5
        assert await store.read(lambda db: notice.before(db, 1)) == 4

    run(tmp_path, scenario)
