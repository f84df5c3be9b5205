"""Copies of the file: of one moment, whole, named, found again; and what a file has to be to be believed."""

import asyncio
import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path as FilePath
from uuid import UUID

import pytest

from doubles.loop import in_loop
from doubles.texts import Texts, change, commit
from twinplane.errors import StartError
from twinplane.transaction import copy, offline, soundness
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.migration import MIGRATIONS
from twinplane.tree.diff import objects

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
OTHER = UUID("11111111-6d0a-4c55-9a53-0b8d2f1a7e10")


def store(folder: FilePath, *, instance: UUID = INSTANCE, expected: bool = False) -> Datastore:
    return Datastore(folder / "twinplane.db", Texts(), instance=instance, expected=expected)


async def grown(folder: FilePath, first: int, last: int) -> None:
    """Commits that make a row each."""
    kept = store(folder)
    await kept.open()
    for number in range(first, last + 1):
        await kept.commit(
            commit(number), [change(f"/a/row[name=r{number}]", None, {"name": f"r{number}"})], None, ""
        )
    await kept.close()


def execute(file: FilePath, script: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.executescript(script)


@in_loop
async def test_a_copy_is_of_one_moment_and_holds_up_no_writer(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written one page at a time; between two pages the writer commits."""
    await grown(tmp_path, 1, 40)
    kept, loop = store(tmp_path), asyncio.get_running_loop()
    await kept.open()
    number, done = 40, 0

    def commit_meanwhile() -> bool:
        nonlocal number, done
        if done < 10:
            done += 1
            number += 1
            made = change(f"/a/row[name=r{number}]", None, {"name": f"r{number}"})
            asyncio.run_coroutine_threadsafe(kept.commit(commit(number), [made], None, ""), loop).result(60)
        return False

    monkeypatch.setattr(copy, "_PAGES", 1)
    made = await asyncio.to_thread(
        lambda: copy.write(tmp_path / "twinplane.db", tmp_path / "copies", stopped=commit_meanwhile)
    )
    await kept.close()
    assert done == 10 and made.revision == 40
    content = copy.content(made.file)
    assert content.revision == 40 and len(content.objects) == 40 and content.is_copy
    assert content.instance == INSTANCE
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.file.parent.stat().st_mode) == 0o700
    assert [one.name for one in made.file.parent.iterdir()] == [made.file.name], "nothing beside it"


@in_loop
async def test_a_copy_that_cannot_be_finished_is_none(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 3)
    with pytest.raises(InterruptedError):
        copy.write(tmp_path / "twinplane.db", tmp_path / "copies", stopped=lambda: True)
    with (tmp_path / "twinplane.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    with pytest.raises(copy.UnreadableError):
        copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_the_newest_are_kept_and_those_before_migrations_count_apart(tmp_path: FilePath) -> None:
    names = [f"2026112{day}T000000Z-c{day}.db" for day in range(1, 6)]
    names += ["20261120T000000Z-c0-layout-3.db", "something-else.db", "replaced-20261101T000000Z.db"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    for name, age in ((".a.new", 3 * 86_400), (".b.new", 60)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    copy.prune(tmp_path, 2)
    assert [one.file.name for one in copy.listed(tmp_path)] == [*names[4:2:-1], names[5]]
    assert {one.name for one in tmp_path.iterdir()} == {*names[3:], ".b.new"}


@in_loop
async def test_a_copy_that_became_the_datastore_spares_what_it_does_not_know(tmp_path: FilePath) -> None:
    """However it came there: also by hand. And what is configured later is like any other from then on."""
    await grown(tmp_path, 1, 2)
    made = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    await grown(tmp_path, 3, 4)
    copy.put_aside(tmp_path / "twinplane.db", tmp_path / "copies")
    copy.put_in_place(made.file, tmp_path / "twinplane.db")

    kept = store(tmp_path, expected=True)
    stored = await kept.open()
    assert stored.running.revision == 2 and kept.spared is None
    paths = {change(f"/a/row[name=r{number}]", None, None).path for number in (3, 4)}
    await kept.spare(frozenset(paths))
    await kept.commit(commit(3), [change("/a/row[name=r3]", None, {"name": "r3"})], None, "")
    await kept.close()
    again = store(tmp_path, expected=True)
    await again.open()
    assert again.spared is not None and {str(path) for path in again.spared} == {"/a/row[name=r4]"}
    await again.close()
    (replaced,) = (tmp_path / "copies").glob("replaced-*.db")
    assert copy.content(replaced).revision == 4, "what was there is not lost"


@in_loop
async def test_an_empty_file_is_new_only_where_nothing_was(tmp_path: FilePath) -> None:
    (tmp_path / "twinplane.db").touch()
    with pytest.raises(StartError, match=r"holds no configuration, though there was one.*state adopt"):
        await store(tmp_path, expected=True).open()
    assert (tmp_path / "twinplane.db").stat().st_size == 0, "and it is not touched"
    kept = store(tmp_path)
    await kept.open()
    await kept.close()


@in_loop
async def test_lost_tables_are_damage(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 1)
    execute(tmp_path / "twinplane.db", "DROP TABLE object; DROP TABLE journal")
    with pytest.raises(StartError, match="is damaged: it lacks table journal, table object"):
        await store(tmp_path, expected=True).open()
    execute(tmp_path / "twinplane.db", "PRAGMA user_version = 0")
    with pytest.raises(StartError, match="is damaged: it holds no configuration"):
        await store(tmp_path).open()


@in_loop
async def test_damage_names_the_newest_good_copy_and_the_command(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 30)
    good = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    bad = good.file.with_name("29991231T000000Z-c30.db")
    bad.write_bytes(b"not a database at all" * 100)
    body = (tmp_path / "twinplane.db").read_bytes()
    (tmp_path / "twinplane.db").write_bytes(body[:4096] + b"\xff" * 8192 + body[12288:])
    with pytest.raises(StartError, match=rf"is damaged: .*state restore {good.file.name}"):
        await store(tmp_path, expected=True).open()
    good.file.unlink()
    with pytest.raises(StartError, match=r"is damaged: .*no good copy.*state adopt"):
        await store(tmp_path, expected=True).open()


@in_loop
async def test_a_file_of_another_instance_is_refused(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 1)
    with pytest.raises(StartError, match=f"datastore of instance {INSTANCE}, and .* says {OTHER}"):
        await store(tmp_path, instance=OTHER).open()


@in_loop
async def test_a_file_of_before_is_ours_from_now_on(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 1)
    execute(tmp_path / "twinplane.db", "DELETE FROM meta WHERE key = 'instance'")
    await grown(tmp_path, 2, 2)
    assert copy.content(tmp_path / "twinplane.db").instance == INSTANCE


@in_loop
async def test_a_file_older_than_its_copy_is_refused_unless_it_was_restored(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 2)
    older = (tmp_path / "twinplane.db").read_bytes()
    await grown(tmp_path, 3, 5)
    made = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    (tmp_path / "twinplane.db").write_bytes(older)
    with pytest.raises(StartError, match=rf"commit 2 and is older than its copy {made.file.name}"):
        await store(tmp_path, expected=True).open()
    offline.adopt(tmp_path / "twinplane.db", INSTANCE)
    kept = store(tmp_path, expected=True)
    assert (await kept.open()).running.revision == 2 and kept.spared is None
    await kept.close()


@in_loop
async def test_a_datastore_that_is_begun_by_a_command(tmp_path: FilePath) -> None:
    for spare in (False, True):
        copy.put_aside(tmp_path / "twinplane.db", tmp_path / "copies")
        offline.begin(tmp_path / "twinplane.db", INSTANCE, spare=spare)
        kept = store(tmp_path, expected=True)
        assert (await kept.open()).running.revision == 0
        assert kept.spared == (None if spare else frozenset())
        await kept.close()


@in_loop
async def test_a_long_look_has_an_end(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    await grown(tmp_path, 1, 5)
    monkeypatch.setattr(soundness, "_STEPS", 1)
    with closing(sqlite3.connect(tmp_path / "twinplane.db", isolation_level=None)) as db:
        soundness.check(db, tmp_path / "twinplane.db", MIGRATIONS, instance=INSTANCE, expected=True, limit=-1)
        assert db.execute("SELECT count(*) FROM object").fetchone() == (5,)


@in_loop
async def test_what_was_under_way_is_not_in_a_copy(tmp_path: FilePath) -> None:
    await grown(tmp_path, 1, 1)
    execute(
        tmp_path / "twinplane.db",
        "INSERT INTO journal VALUES (1, 2, 'PENDING', '{}');"
        "INSERT INTO leftover VALUES ('tap', 'tpx', '/a/row[name=r1]', 'PENDING', 'why')",
    )
    made = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    copy.put_in_place(made.file, tmp_path / "twinplane.db")
    kept = store(tmp_path, expected=True)
    stored = await kept.open()
    assert stored.entry is None
    assert [str(path) for path, _ in objects(stored.running.root)] == ["/a/row[name=r1]"]
    await kept.close()
