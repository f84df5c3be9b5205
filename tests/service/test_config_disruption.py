"""What a commit does to what runs is told before, and refused where it is more than was agreed to."""

import grpc
import pytest

from conformance.firewall import FW1, everything
from service.configuring import Box, edit, refusal, run, text
from twinplane_wire.v1 import config_pb2 as pb

LIMIT = f"{FW1}/compute/share/config/limit"
SIZE = f"{FW1}/memory/config/size"

SHARE = edit(pb.Edit.MERGE, LIMIT, 300)
MEMORY = edit(pb.Edit.MERGE, SIZE, str(512 << 20))
GONE = edit(pb.Edit.DELETE, FW1)


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        pytest.param(SHARE, pb.LIVE, id="share"),
        pytest.param(MEMORY, pb.GUEST_REBOOT, id="memory"),
        pytest.param(GONE, pb.RECREATE, id="delete"),
    ],
)
def test_a_commit_is_refused_that_disturbs_more_than_was_agreed_to(change: pb.Edit, effect: int) -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update=everything())
        await box.admin.call(pb.EditRequest(edit=[change], test_option=pb.EditRequest.SET))
        plan = await box.admin.call(pb.PlanRequest())
        assert {text(one.path): one.effect for one in plan.effect} == {FW1: effect}
        assert max(step.effect for step in plan.step) == effect
        name = f"[{pb.Effect.Name(effect)}]"
        assert all(step.text.endswith(name) for step in plan.step if step.effect == effect)
        for most in range(effect):
            code, message, errors = await refusal(box.admin.call(pb.CommitRequest(max_disruption=most)))
            assert code is grpc.StatusCode.FAILED_PRECONDITION
            assert f"at most {pb.Effect.Name(most)} was agreed to" in message
            assert [one.error_path for one in errors] == [FW1]
        if effect == pb.GUEST_REBOOT:
            # What a running appliance cannot take live it does not take, whatever is agreed to.
            (listed,) = plan.refused
            code, message, _ = await refusal(box.admin.call(pb.CommitRequest(max_disruption=pb.RECREATE)))
            assert code is grpc.StatusCode.FAILED_PRECONDITION and listed.error_message in message
            assert "STOPPED" in listed.remedy
            return
        assert not plan.refused
        assert (await box.admin.call(pb.CommitRequest(max_disruption=effect))).changed

    run(scenario)


def test_so_is_a_rollback() -> None:
    async def scenario(box: Box) -> None:
        await box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(persist_id="nothing")))
        await box.admin.call(pb.ConfirmRequest(persist_id="nothing"))
        await box.gnmi.set(update=everything())
        back = pb.RollbackRequest(number=1, max_disruption=pb.GUEST_REBOOT)
        code, _, errors = await refusal(box.admin.call(back))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert [one.error_path for one in errors] == [FW1]
        assert (await box.admin.call(pb.RollbackRequest(number=1, max_disruption=pb.RECREATE))).changed

    run(scenario)
