"""What a commit that waits for its confirmation keeps: the guest it deletes, and what that guest holds."""

import asyncio
import json

import pytest

from conformance.firewall import DOMAIN, FW1, everything
from service.configuring import Box, edit, path, run
from twinplane.plan.resource import Run
from twinplane_wire.v1 import config_pb2 as pb

RESOURCES = "/components/component[name=chassis]/chassis/utilization/resources/resource"


async def account(box: Box, resource: str) -> tuple[int, int]:
    """What is committed of a resource and what is free."""
    state = await box.gnmi.value(f"{RESOURCES}[name={resource}]/state")
    return int(state["committed"]), int(state["free"])


@pytest.mark.parametrize("end", [pb.ConfirmRequest, pb.CancelRequest])
def test_a_deleted_appliance_is_charged_until_the_end(end: type) -> None:
    async def scenario(box: Box) -> None:
        empty = {name: await account(box, name) for name in ("cpu", "memory")}
        await box.gnmi.set(update=everything())
        full = {name: await account(box, name) for name in empty}
        assert full["cpu"][0] == empty["cpu"][0] + 250
        assert full["memory"][0] > empty["memory"][0] + (256 << 20)
        await box.admin.call(pb.EditRequest(edit=[edit(pb.Edit.DELETE, FW1)]))
        await box.admin.call(pb.CommitRequest(confirmed=pb.Confirmed(persist_id="x")))
        assert box.target.host.kernel.domains[DOMAIN].run is Run.PAUSED
        assert await box.admin.text(pb.GetConfigRequest(path=[path(FW1)])) == {}
        assert {name: await account(box, name) for name in empty} == full
        status = json.loads(next(iter((await box.admin.text(pb.GetDataRequest(path=[path(FW1)]))).values())))
        assert "PAUSED" in json.dumps(status)
        await box.admin.call(end(persist_id="x"))
        wanted = empty if end is pb.ConfirmRequest else full
        async with asyncio.timeout(20):
            while {name: await account(box, name) for name in empty} != wanted:
                await asyncio.sleep(0.01)

    run(scenario)
