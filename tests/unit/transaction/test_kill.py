"""SIGKILL before, in and after every step: after the next start all is exactly old or exactly new."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import pytest

from doubles.box import Box, documents, started
from doubles.host import Host, Kernel
from doubles.killing import Story, stories
from doubles.process import run_module

# Some three hundred processes are killed before the first test: minutes on a busy machine.
pytestmark = pytest.mark.timeout(400)

STORIES = stories()


@dataclass
class Found:
    """What a start finds and leaves: host, configuration, foreign values, and the row it has not dropped."""

    kernel: Kernel
    configured: dict[str, Any]
    revision: int
    foreign: set[Any]
    row: object


@pytest.fixture(scope="module")
def wrecks(tmp_path_factory: pytest.TempPathFactory) -> FilePath:
    """Every story killed at every point, by processes of their own."""
    folder = tmp_path_factory.mktemp("wrecks")
    run_module("killing", str(folder))
    return folder


async def recover(folder: FilePath) -> Found:
    """Start on the folder, then look at everything with other eyes."""
    async with started(Box(folder)) as box:
        assert not box.publisher.alarms and not box.publisher.broken and not box.publisher.held
    return await look(folder)


async def look(folder: FilePath) -> Found:
    box = Box(folder)
    stored = await box.store.open()
    await box.store.close()
    return Found(
        kernel=Host(folder / "host").without_idle_queues(),
        configured=documents(stored.running.root),
        revision=stored.running.revision,
        foreign=set(stored.foreign),
        row=stored.entry,
    )


def ends(wrecks: FilePath, name: str) -> tuple[Found, Found]:
    """Old and new of a story; a wreck ends as the story that it was taken from, before or after commit."""
    story = STORIES[name]
    new = asyncio.run(look(wrecks / name / "new"))
    if story.killed is None:
        return asyncio.run(look(wrecks / name / "old")), new
    old, committed = ends(wrecks, story.killed[0])
    assert new == (old if new.revision == old.revision else committed)
    return new, new


@pytest.mark.parametrize("name", STORIES)
def test_the_next_start_finds_or_makes_all_old_or_all_new(name: str, wrecks: FilePath) -> None:
    old, new = ends(wrecks, name)
    assert old.row is None and new.row is None
    points = json.loads((wrecks / name / "points.json").read_text())
    assert len(points) == len(list((wrecks / name).iterdir())) - (2 if STORIES[name].killed else 3)
    committed = points.index("stage committed") if "stage committed" in points else None
    for number, point in enumerate(points):
        found = asyncio.run(recover(wrecks / name / str(number)))
        expected = new if found.revision == new.revision else old
        assert found == expected, f"killed at {number}: {point}"
        if committed is not None:
            # The commit point itself lies between two stages; on either side there is no doubt.
            assert found.revision == (new if number >= committed else old).revision, point


@pytest.mark.parametrize("name", STORIES)
def test_recovery_is_done_once(name: str, wrecks: FilePath) -> None:
    """A second start changes nothing."""
    points = json.loads((wrecks / name / "points.json").read_text())
    for number in range(0, len(points), 7):
        folder = wrecks / name / str(number)
        first = asyncio.run(recover(folder))

        async def again(folder: FilePath = folder) -> None:
            async with started(Box(folder)) as box:
                assert box.host.effects == []

        asyncio.run(again())
        assert asyncio.run(look(folder)) == first


def test_a_story_says_one_thing() -> None:
    assert all((story.change is None) != (story.killed is None) for story in STORIES.values())
    assert isinstance(STORIES["create"], Story)
