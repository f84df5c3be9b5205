"""What a caller agrees to: nothing that disturbs more."""

import pytest

from twinplane.errors import RequestError
from twinplane.plan.resource import Key, Noun
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
