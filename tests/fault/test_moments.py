"""SIGKILL wherever the agent happens to be: after any single change of the host, or after any time.

`test_points` knows where it strikes; here it is a matter of luck, as it is in life. What stands after the
next start is exactly old or exactly new, and new wherever the client was told so.
"""

import os
import random
from collections.abc import Iterator

import pytest

from fault.box import Box, Strike
from fault.story import CHANGE, CREATE, DELETE, Story, request
from fault.test_points import IMAGES, arrived, bring, settle, unchanged

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(180)]

SEED = int(os.environ.get("TWINPLANE_FAULT_SEED", "5"))
LONGEST = 2.5  # seconds; with the start of a guest the longest of the stories takes about as long
SHARES = {CREATE: 30, DELETE: 24, CHANGE: 10}  # how often each story is struck in each of the two ways


def luck() -> Iterator[object]:
    """Stories with a number of changes, or a number of seconds, after which the agent is killed."""
    dice = random.Random(SEED)
    for story, times in SHARES.items():
        for _ in range(times):
            effects = dice.randint(1, 2 * len(story.points))
            yield pytest.param(story, Strike("effect", "after", effects), id=f"{story.name}-effect-{effects}")
            delay = round(dice.uniform(0, LONGEST), 3)
            yield pytest.param(
                story, Strike("begin", "soon", delay=delay), id=f"{story.name}-after-{delay * 1e3:.0f}-ms"
            )


@pytest.mark.parametrize(
    ("story", "strike"),
    [
        pytest.param(CREATE, Strike("effect", "after", 29), id="create-effect"),
        pytest.param(CREATE, Strike("begin", "soon", delay=0.9), id="create-moment"),
        pytest.param(DELETE, Strike("effect", "after", 11), id="delete-effect"),
        pytest.param(DELETE, Strike("begin", "soon", delay=0.4), id="delete-moment"),
    ],
)
def test_four_moments(box: Box, story: Story, strike: Strike) -> None:
    """Two of each kind."""
    kill(box, story, strike)


@pytest.mark.long
@pytest.mark.parametrize(("story", "strike"), tuple(luck()))
def test_many_moments(box: Box, story: Story, strike: Strike) -> None:
    """A hundred and more; TWINPLANE_FAULT_SEED gives others."""
    kill(box, story, strike)


def kill(box: Box, story: Story, strike: Strike) -> None:
    """Do the story's request and be killed on the way, at the latest when all is done."""
    bring(box, story.old)
    before = box.look()
    last = Strike("conclude" if story.points[-1].startswith("FINAL") else "commit", "after")
    strikes = [strike] if strike.how == "soon" else [strike, last]
    box.sound = False
    with box.armed(strikes):
        error = box.set(request(IMAGES, story.old, story.new))
        assert box.killed()
    box.start()
    settle(box)
    committed = box.look().lines["running"] != before.lines["running"]
    assert committed or error is not None
    if committed:
        arrived(box, story.new, before)
    else:
        unchanged(box, before)
    box.sound = True
