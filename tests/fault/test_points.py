"""Every step of three plans is struck in every way, with the real kernel, hypervisor, files and SQLite.

The longest plan has 36 steps across hypervisor, network and files; SIGKILL alone strikes at more than 200
points. `make test` takes six of them here and four in `test_moments`; most of its sample is what
tests/unit/transaction/test_kill.py does, everywhere, with drivers that only record and a real SQLite file.

Whatever happens before the commit point, host and datastore are afterwards exactly what they were; whatever
happens after it, exactly what was asked for. Objects of strangers stand beside and are compared as well.

How a step is struck:

    fail    the driver refuses to do it
    undo    it is done; the commit fails, and so does undoing this step: left over, until it can be repaired
    before  SIGKILL before it
    in      SIGKILL after its first effect, before the step is over
    after   SIGKILL after it
"""

import time
from collections.abc import Iterator

import pytest

from fault.box import NOTHING, PATIENCE, Box, Strike
from fault.snapshot import Snapshot
from fault.story import CREATE, DELETE, STORIES, Story, golden, request
from hypervisor.scenario import REPOSITORY

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(180)]

IMAGES = REPOSITORY / "build/images"
KILLS = ("before", "in", "after")
# What is written where: the row of intent, the commit, the end of the row where final steps came after it.
WRITES = tuple((name, how) for name in ("begin", "commit", "conclude") for how in ("fail", "before", "after"))


def every_point() -> Iterator[object]:
    """All steps of all stories, each in every way that there is for it, and the datastore's writes."""
    for story in STORIES:
        for name, how in WRITES if story.points[-1].startswith("FINAL") else WRITES[:-3]:
            yield pytest.param(story, name, how, id=f"{story.name}-{how}-{name}")
        for point in story.points:
            ways = ("fail", *KILLS) if point.startswith("FINAL") else ("fail", "undo", *KILLS)
            for how in ways:
                yield pytest.param(story, point, how, id=f"{story.name}-{how}-{point}")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_points_are_the_steps_of_the_plan(box: Box, story: Story) -> None:
    """The journal's row holds the steps that the points below are named after."""
    bring(box, story.old)
    with box.armed([Strike("commit", "before")]):
        box.set(request(IMAGES, story.old, story.new))
        assert box.killed()
    assert golden(story, box.steps()) == story.points
    box.start()
    settle(box)


@pytest.mark.parametrize(
    ("story", "point", "how"),
    [
        pytest.param(CREATE, "FILE create image-file images/*/initrd", "in", id="killed-amid-a-file"),
        pytest.param(CREATE, "DEVICE create tap <lan>", "in", id="killed-before-a-tap-is-marked"),
        pytest.param(CREATE, "GUEST create domain <fw1>", "fail", id="a-guest-does-not-start"),
        pytest.param(CREATE, "RESUME change domain <fw1>", "before", id="killed-before-a-guest-runs"),
        pytest.param(DELETE, "commit", "after", id="killed-after-the-commit"),
        pytest.param(DELETE, "ASIDE change domain <fw1>", "undo", id="an-undo-fails"),
    ],
)
def test_six_points(box: Box, story: Story, point: str, how: str) -> None:
    """One of each kind."""
    strike(box, story, named(story, point), how)


@pytest.mark.long
@pytest.mark.parametrize(("story", "point", "how"), tuple(every_point()))
def test_every_point(box: Box, story: Story, point: str, how: str) -> None:
    """All of them."""
    strike(box, story, point, how)


def strike(box: Box, story: Story, point: str, how: str) -> None:
    """Do the story's request with one strike; what stands afterwards is the one or the other, exactly."""
    bring(box, story.old)
    before = box.look()
    committed = point.startswith(("FINAL", "conclude")) or (point, how) == ("commit", "after")
    box.sound = False
    with box.armed(strikes(story, point, how)):
        error = box.set(request(IMAGES, story.old, story.new))
        struck = box.struck()
        if how in KILLS:
            assert struck, error
            assert box.killed()
        elif how == "undo":
            assert len(struck) >= 2, (struck, error)
            assert error is not None
            assert "undo failed" in error.message
            assert box.set(NOTHING) is None
            assert box.left_over()
        else:
            assert struck, error
            assert (error is None) == committed, error
    if (point, how) == ("conclude", "fail"):
        box.stop()  # the row stays, which harms nobody: the next start finds nothing left to do and drops it
    if how in KILLS or point == "conclude":
        box.start()
    settle(box)
    if committed:
        arrived(box, story.new, before)
    else:
        unchanged(box, before)
    box.sound = True


def strikes(story: Story, point: str, how: str) -> list[Strike]:
    """The strikes that hit a step of the story in this way."""
    words = point.split(" ", 2)
    key = words[2] if len(words) == 3 else point
    turns = [other for other in story.points if other.split(" ", 2)[2] == key]
    turn = turns.index(point) + 1 if turns else 1
    if how != "undo":
        return [Strike(key, how, turn, lasting=how == "fail" and point.startswith("FINAL"))]
    # The undo takes the steps of one resource in the opposite order.
    reversible = [other for other in turns if not other.startswith("FINAL")]
    undone = 2 * len(reversible) - turn + 1
    return [Strike("commit", "fail"), Strike(key, "fail", undone, lasting=True)]


# The configurations as the first test that came there saw them.
_seen: dict[tuple[str, str], Snapshot] = {}


def bring(box: Box, configuration: str) -> None:
    """The box in one of the configurations, without a strike."""
    if not box.sound:
        box.rebuild()
        _seen[str(box.state), box.is_at] = box.look()
    if box.is_at != configuration:
        before = box.look()
        box.sound = False
        error = box.set(request(IMAGES, box.is_at, configuration))
        assert error is None, error
        arrived(box, configuration, before)
        box.sound = True


def settle(box: Box) -> None:
    """Wait until what had to be repaired is: writes are accepted again."""
    box.wait_for_writes()


def unchanged(box: Box, before: Snapshot) -> None:
    """The host is as it was, the guests are the same processes."""
    found = look_until(box, before)
    assert not (difference := found.difference(before)), difference
    assert found.processes == before.processes


def arrived(box: Box, configuration: str, before: Snapshot) -> None:
    """The host is what this configuration makes of it, and guests that were there are the same processes."""
    expected = _seen.get((str(box.state), configuration))
    if expected is None:
        expected = _seen[str(box.state), configuration] = box.look()
    found = look_until(box, expected)
    assert not (difference := found.difference(expected)), difference
    for name in found.processes.keys() & before.processes.keys():
        assert found.processes[name] == before.processes[name]
    box.is_at = configuration


def look_until(box: Box, expected: Snapshot) -> Snapshot:
    """The host when it is as expected, or after a while as it is: a repair may still be under way."""
    end = time.monotonic() + PATIENCE
    while (found := box.look()).difference(expected) and time.monotonic() < end:
        time.sleep(0.2)
    return found


def named(story: Story, point: str) -> str:
    """A point of the story, its devices and guests named by what they are for."""
    if "<" not in point:
        return point
    prefix = point.partition("<")[0]
    (found, *_) = [each for each in story.points if each.startswith(prefix)]
    return found
