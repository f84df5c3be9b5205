"""Values that are purged are nowhere any more, and nothing is rolled back to a commit that lost one."""

import asyncio
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import pytest

from doubles import demo
from doubles.box import Box, schemas, started
from twinplane.errors import Fault, RequestError, StartError
from twinplane.history_command import purge
from twinplane.object_codec import ObjectCodec
from twinplane.settings import Agent, Settings
from twinplane.state_dir import StateDir
from twinplane.transaction import copy, history
from twinplane.transaction.history import History
from twinplane.transaction.purge import MARKER

CONTENT = f"{demo.FW1}/bootstrap/files/file[target=rules]/config/content"
SECRETS = ("hunter2-short", "hunter2-" + "".join(f"line {n}, of many\n" for n in range(2000)))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory in which both secrets were configured once, and are so no more; with a copy."""
    monkeypatch.setattr(history, "SNAPSHOT_EVERY", 2)
    folder = Path(tempfile.mkdtemp(prefix="tp"))
    box = Box(folder)

    async def fill() -> None:
        async with started(box):
            await box.submit(demo.everything(), demo.appliance(state="STOPPED"))
            for number, secret in enumerate(SECRETS):
                await box.submit(demo.appliance(state="STOPPED", rules=secret, limit=300 + number))
            await box.submit(demo.appliance(state="STOPPED", rules="nothing to hide\n"))
        copy.write(folder / "twinplane.db", folder / "copies")

    state = StateDir(folder)
    asyncio.run(fill())
    (folder / "users.toml").write_text("[[user]]\n")
    state.settle()
    state.close()
    yield folder
    shutil.rmtree(folder)


def settings(root: Path) -> Settings:
    return replace(Settings(), agent=Agent(root))


def held(file: Path) -> str:
    """All that is in a file: its bytes, and what it keeps compressed."""
    found = [file.read_bytes()]
    with closing(connect(file)) as db:
        for table in ("piece", "snapshot"):
            found += [zlib.decompress(body) for (body,) in db.execute(f"SELECT body FROM {table}")]
        found += [str(row).encode() for row in db.execute("SELECT * FROM commits").fetchall()]
    return b"\n".join(found).decode(errors="replace")


def test_a_purged_value_is_nowhere(root: Path) -> None:
    file = root / "twinplane.db"
    assert "hunter2" in held(file) and "line 1000" in held(file)
    lines = purge(settings(root), [CONTENT], with_copies=True)
    # Three commits and the one in force, each with the one before, and the snapshots of two.
    assert lines[0] == f"9 values purged from the history in {file}"
    assert "hunter2" not in held(file) and "line 1000" not in held(file) and MARKER in held(file)
    assert lines[1] == "the configuration in force holds one still: change it, then purge again"
    assert not file.with_name("twinplane.db-wal").exists()


def test_history_goes_on_without_it(root: Path) -> None:
    purge(settings(root), [CONTENT], with_copies=True)
    box = Box(root)

    async def look() -> None:
        async with started(box):
            assert "nothing to hide" in str(box.configured[demo.FW1])
            old, running = History(box.store, ObjectCodec(schemas()).decode), box.transactor.running
            for number in (1, 2, 3):
                shown = str((await old.forest(number, running)).tree())
                assert MARKER in shown and "hunter2" not in shown
                with pytest.raises(RequestError, match="was purged from the history") as refusal:
                    await old.forest(number, running, whole=True)
                assert [one.fault for one in refusal.value.violations] == [Fault.STATE]
                assert str(refusal.value.violations[0].path) == CONTENT
            _, changes = await old.commit(2)
            assert MARKER in str(changes[0].after) and "300" in str(changes[0].after), "the rest is as it was"
            await box.submit(demo.appliance(state="STOPPED", limit=600))
            assert (await old.commit(5))[1]

    asyncio.run(look())


def test_all_entries_of_a_list_are_meant_where_its_keys_are_left_out(root: Path) -> None:
    every = CONTENT.replace("[target=rules]", "")
    purge(settings(root), [every], with_copies=True)
    assert "hunter2" not in held(root / "twinplane.db")


def test_a_leaf_that_cannot_hold_the_marker_goes(root: Path) -> None:
    purge(settings(root), [f"{demo.FW1}/memory/config/size"], with_copies=True)
    with closing(connect(root / "twinplane.db")) as db:
        (text,) = db.execute("SELECT forward FROM commits WHERE number = 1").fetchone()
    (edit,) = [edit for edit in json.loads(text) if edit["path"] == demo.FW1]
    assert "size" not in str(edit["value"]) and edit["purged"] == [f"{demo.FW1}/memory/config/size"]


def test_copies_that_hold_a_value_are_named_and_go_only_on_demand(root: Path) -> None:
    (made,) = copy.listed(root / "copies")
    lines = purge(settings(root), [CONTENT], with_copies=False)
    assert f"{made.file} holds one still, or cannot be read" in lines and made.file.exists()
    lines = purge(settings(root), [CONTENT], with_copies=True)
    assert f"{made.file} is removed" in lines and not made.file.exists()
    assert len(copy.listed(root / "copies")) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (demo.FW1, "is not a configured leaf"),
        (f"{demo.FW1}/state/oper-status", "is not a configured leaf"),
        (f"{demo.FW1}/vnics/vnic[name=lan]/name", "is part of the name"),
        ("/appliances[", "position"),
    ],
    ids=["object", "state", "key", "syntax"],
)
def test_what_is_no_leaf_of_an_object_is_refused(root: Path, path: str, words: str) -> None:
    before = (root / "twinplane.db").read_bytes()
    with pytest.raises((StartError, RequestError), match=words):
        purge(settings(root), [path], with_copies=False)
    assert (root / "twinplane.db").read_bytes() == before


def test_a_running_agent_is_left_alone(root: Path) -> None:
    with StateDir(root), pytest.raises(StartError, match="in use by another agent"):
        purge(settings(root), [CONTENT], with_copies=False)
