"""What a caller agrees to: nothing that disturbs more."""

from uuid import UUID

import pytest

from twinplane.errors import RequestError
from twinplane.plan.resource import Domain, Key, Noun, Run
from twinplane.plan.step import Effect, Phase, Step
from twinplane.transaction.refusal import disturbing
from twinplane_wire.path import ROOT, Path


def step(name: str, effect: Effect) -> Step:
    return Step(Phase.LIVE, Key(Noun.TAP, name), owner(name).child("vnics"), None, None, effect)


def owner(name: str) -> Path:
    return ROOT.child("appliances").child("appliance", ("name", name))


def test_each_object_that_disturbs_more_is_named_with_its_worst() -> None:
    steps = [step("b", Effect.LINK_FLAP), step("a", Effect.GUEST_REBOOT), step("a", Effect.LINK_FLAP)]
    disturbing(steps, Effect.GUEST_REBOOT)
    with pytest.raises(RequestError) as refusal:
        disturbing([*steps, step("c", Effect.LIVE)], Effect.LIVE)
    assert [one.path for one in refusal.value.violations] == [owner("a"), owner("b")]
    assert "GUEST_REBOOT" in refusal.value.violations[0].constraint


@pytest.mark.parametrize(
    ("before", "after", "most"),
    [
        (Run.RUNNING, None, Effect.RECREATE),
        (Run.PAUSED, None, Effect.RECREATE),
        (Run.STOPPED, None, Effect.NONE),
        (Run.RUNNING, Run.STOPPED, Effect.GUEST_REBOOT),
        (Run.RUNNING, Run.PAUSED, Effect.NONE),
        (Run.STOPPED, Run.RUNNING, Effect.NONE),
        (None, Run.RUNNING, Effect.NONE),
    ],
)
def test_to_end_a_guest_on_purpose_has_to_be_agreed_to(
    before: Run | None, after: Run | None, most: Effect
) -> None:
    ends = Step(Phase.FINAL, Key(Noun.DOMAIN, "vm"), owner("a"), domain(before), domain(after))
    disturbing([ends], most)
    if most is not Effect.NONE:
        with pytest.raises(RequestError, match=f"the change is {most.name}"):
            disturbing([ends], Effect(most - 1))


def domain(run: Run | None) -> Domain | None:
    return None if run is None else Domain("vm", UUID(int=1), owner("a"), "digest", run)
