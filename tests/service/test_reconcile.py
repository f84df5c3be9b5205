"""Reconcile over the wire, from the client and from the command: what differs on the host is put right."""

from collections.abc import Iterator
from pathlib import Path as File

import grpc
import pytest

from conformance.firewall import DOMAIN, FW1, LAN, everything
from conformance.target import Target as Served
from service.commanding import Shell
from service.configuring import Box, path, refusal, run, served, text
from twinplane_client import ConfigClient, Edit, NotFoundError, Target
from twinplane_wire.v1 import config_pb2 as pb

TAP = "tpvfehp5kkmtw"


def broken(target: Served) -> None:
    """A host port taken out, a CPU limit taken off."""
    target.host.kernel.devices["eth7"].master = None
    target.host.kernel.schedulers.pop(DOMAIN)


def test_what_differs_is_put_right_and_recorded() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update=everything())
        broken(box.target)
        planned = await box.admin.call(pb.ReconcileRequest(dry_run=True))
        assert {text(one.path) for one in planned.effect} == {LAN, FW1}
        assert box.target.host.kernel.devices["eth7"].master is None
        one = await box.admin.call(pb.ReconcileRequest(path=[path(f"{LAN}/ports")]))
        assert {text(each.path) for each in one.effect} == {LAN}
        assert box.target.host.kernel.devices["eth7"].master is not None
        assert DOMAIN not in box.target.host.kernel.schedulers
        await box.admin.call(pb.ReconcileRequest(path=[path("/appliances/appliance[name=*]")]))
        assert DOMAIN in box.target.host.kernel.schedulers
        rest = await box.admin.call(pb.ReconcileRequest())
        assert not (rest.step or rest.failed or rest.waiting) and rest.revision == planned.revision

    run(scenario)


def test_who_may_not_write_may_not_repair() -> None:
    async def scenario(box: Box) -> None:
        await box.gnmi.set(update=everything())
        broken(box.target)
        code, _, _ = await refusal(box.user("reader").call(pb.ReconcileRequest()))
        assert code is grpc.StatusCode.PERMISSION_DENIED
        async with box.admin.session() as session:
            await box.admin.call(pb.LockRequest(target=pb.RUNNING, session_id=session.number))
            code, message, _ = await refusal(box.admin.call(pb.ReconcileRequest()))
            assert code is grpc.StatusCode.FAILED_PRECONDITION and "lock" in message
            await box.admin.call(pb.ReconcileRequest(dry_run=True))
            await box.admin.call(pb.ReconcileRequest(session_id=session.number))
        assert box.target.host.kernel.devices["eth7"].master is not None
        code, message, _ = await refusal(box.admin.call(pb.ReconcileRequest(max_disruption=17)))
        assert code is grpc.StatusCode.INVALID_ARGUMENT and "17" in message
        code, _, _ = await refusal(box.admin.call(pb.ReconcileRequest(path=[path("/nowhere")])))
        assert code is grpc.StatusCode.INVALID_ARGUMENT

    run(scenario)


@pytest.fixture(scope="module")
def target() -> Iterator[Served]:
    with served() as found, ConfigClient(Target(found.addresses[0], timeout=30)) as client:
        client.edit(*(Edit("replace", where, value) for where, value in everything().items()))
        client.commit("candidate")
        yield found


def test_the_client_and_the_command(target: Served, tmp_path: File) -> None:
    shell = Shell.at(target, tmp_path)
    assert shell.run("reconcile") == "the host is as configured\n"
    broken(target)
    shown = shell.run("reconcile", "--dry-run")
    assert "WOULD DO" in shown and "port eth7" in shown and LAN in shown
    with ConfigClient(Target(target.addresses[0], timeout=30)) as client:
        planned = client.reconcile(LAN, dry_run=True, max_disruption="none")
        assert [one.path for one in planned.effects] and not planned.failed
        with pytest.raises(NotFoundError):
            client.reconcile("/images/image[name=absent]")
        done = client.reconcile(LAN)
        assert [str(step.owner) for step in done.steps] == [f"{LAN}/ports/port[interface=eth7]"]
    (step,) = shell.json("reconcile", FW1)["steps"]
    assert step["object"] == f"scheduler {DOMAIN}"
    target.host.kernel.devices[TAP].master = "elsewhere"
    shown = shell.run("reconcile")
    assert "left as it is" in shown and "LINK_FLAP" in shown
    assert "DONE" in shell.run("reconcile", "--max-disruption", "link-flap")
