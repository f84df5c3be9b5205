"""What a datastore does not know is left alone, and taken over as it is by whoever configures it again."""

from dataclasses import replace
from pathlib import Path as FilePath

from doubles import demo
from doubles.box import INSTANCE, Box, deleted, furnish, started
from doubles.loop import in_loop
from twinplane.state.facts import AlarmFact
from twinplane.transaction import copy, offline
from twinplane.transaction.request import Act, Confirm, Request
from twinplane_wire.path import parse


async def forgotten(folder: FilePath, *, spare: bool = True) -> Box:
    """A box whose datastore holds nothing, beside the host that the demo made."""
    box = Box(folder)
    furnish(box.host)
    async with started(box):
        await box.submit(demo.everything())
    copy.put_aside(folder / "twinplane.db", folder / "copies")
    offline.begin(folder / "twinplane.db", INSTANCE, spare=spare)
    return Box(folder)


def alone(box: Box) -> set[str]:
    """The objects that an alarm says are left alone."""
    raised: set[str] = set()
    for event in box.publisher.events:
        if event[0] == "observed":
            for fact in event[1]:
                if isinstance(fact, AlarmFact) and fact.kind == "UNCONFIGURED":
                    raised = raised - {fact.resource} if fact.cleared else raised | {fact.resource}
    return raised


@in_loop
async def test_a_database_that_was_begun_again_ends_nothing(tmp_path: FilePath) -> None:
    box = await forgotten(tmp_path)
    whole = box.host.snapshot()
    async with started(box):
        assert box.host.kernel == whole and box.drivers.ensures == []
        assert box.configured == {} and len(alone(box)) > 2
    again = Box(tmp_path)
    async with started(again):
        assert again.host.kernel == whole and alone(again) == alone(box), "nor does a later start"


@in_loop
async def test_what_is_configured_again_is_taken_over_as_it_is(tmp_path: FilePath) -> None:
    box = await forgotten(tmp_path)
    whole = box.host.snapshot()
    async with started(box):
        await box.submit(demo.everything())
        assert box.host.kernel == whole and box.host.effects == []
        assert alone(box) == set()
        # And from then on it is like any other: what is deleted goes.
        await box.submit(demo.nothing())
        assert box.host.kernel.domains.keys() == set()


@in_loop
async def test_a_command_has_it_removed(tmp_path: FilePath) -> None:
    box = await forgotten(tmp_path)
    async with started(box):
        pass
    offline.spare(tmp_path / "twinplane.db", ())
    again = Box(tmp_path)
    async with started(again):
        assert again.host.kernel.domains.keys() == set() and alone(again) == set()


@in_loop
async def test_a_database_that_was_begun_to_forget_ends_what_was_there(tmp_path: FilePath) -> None:
    box = await forgotten(tmp_path, spare=False)
    async with started(box):
        assert box.host.kernel.domains.keys() == set()


@in_loop
async def test_a_restored_copy_ends_no_guest_that_came_later(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    async with started(box):
        await box.submit(demo.everything())
        name = next(path for path in box.configured if path.startswith("/appliances/"))
        await box.submit(deleted(name))
    made = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
    later = Box(tmp_path)
    async with started(later):
        await later.submit(demo.everything())
    whole = later.host.snapshot()
    copy.put_aside(tmp_path / "twinplane.db", tmp_path / "copies")
    copy.put_in_place(made.file, tmp_path / "twinplane.db")
    restored = Box(tmp_path)
    async with started(restored):
        assert restored.host.kernel.domains == whole.domains and alone(restored) == {name}


@in_loop
async def test_a_commit_that_is_not_confirmed_leaves_it_alone_again(tmp_path: FilePath) -> None:
    """Whether its time is up, or the agent ended meanwhile."""
    box = await forgotten(tmp_path)
    whole = box.host.snapshot()
    edits = tuple(edit for edit in demo.everything())
    async with started(box):
        found = alone(box)
        asked = Request(edits, "admin", "test", "unix:", confirm=Confirm(Act.COMMIT, "try", 600))
        await box.transactor.submit(asked)
        await box.transactor.submit(replace(asked, edits=(), confirm=Confirm(Act.CANCEL, "try")))
        await box.transactor.repair()
        assert box.host.kernel == whole and box.configured == {} and alone(box) == found
        await box.transactor.submit(asked)
    again = Box(tmp_path)
    async with started(again):
        assert again.host.kernel == whole and again.configured == {} and alone(again) == found


@in_loop
async def test_a_copy_of_a_commit_that_waited_ends_no_guest_that_came_later(tmp_path: FilePath) -> None:
    """That commit is rolled back at the start, which decides nothing about what the copy does not know."""
    box = Box(tmp_path)
    furnish(box.host)
    async with started(box):
        asked = Request(demo.image(), "admin", "test", "unix:", confirm=Confirm(Act.COMMIT, "try", 600))
        await box.transactor.submit(asked)
        made = copy.write(tmp_path / "twinplane.db", tmp_path / "copies")
        await box.transactor.submit(replace(asked, edits=(), confirm=Confirm(Act.CONFIRM, "try")))
        await box.submit(demo.everything())
    whole = box.host.snapshot()
    copy.put_aside(tmp_path / "twinplane.db", tmp_path / "copies")
    copy.put_in_place(made.file, tmp_path / "twinplane.db")
    for _ in range(2):
        restored = Box(tmp_path)
        async with started(restored):
            assert restored.configured == {} and restored.host.kernel == whole
            assert len(alone(restored)) > 2


@in_loop
async def test_what_was_let_go_while_a_commit_waited_goes(tmp_path: FilePath) -> None:
    box = await forgotten(tmp_path)
    async with started(box):
        asked = Request(demo.image(), "admin", "test", "unix:", confirm=Confirm(Act.COMMIT, "try", 600))
        await box.transactor.submit(asked)
    offline.spare(tmp_path / "twinplane.db", [parse(demo.LAN)])
    again = Box(tmp_path)
    async with started(again):
        assert again.host.kernel.domains == {} and again.configured == {}
        assert alone(again) == {demo.LAN, demo.IMAGE}
