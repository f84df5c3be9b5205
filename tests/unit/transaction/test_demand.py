"""Repair on demand: what differs is put right for whoever may write it, as far as was agreed to."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from doubles import demo
from doubles.box import Box, furnish, started
from doubles.host import Kernel
from doubles.loop import in_loop
from twinplane.errors import DriverError, Fault, RequestError, Violation
from twinplane.plan.resource import Key, Resource, Run
from twinplane.plan.step import Effect
from twinplane.transaction import notice
from twinplane.transaction.demand import Demand, Report
from twinplane.transaction.request import Request
from twinplane.tree.diff import ObjectChange
from twinplane_wire.path import parse

DOMAIN, LAN, TAP = "vmcj2zgj6z5h5", "brn3ffuw6dd6l", "tpvfehp5kkmtw"
FW1, SWITCH = parse(demo.FW1), parse(demo.LAN)
ALL = Demand("admin", "config", "unix:")


def of(*paths: str, **settings: object) -> Demand:
    wanted = frozenset(map(parse, paths))
    return replace(ALL, select=lambda _: wanted, **settings)  # type: ignore[arg-type]


def lines(report: Report) -> list[str]:
    return [f"{step.act.value} {step.key}" for step in report.steps]


async def everything(folder: FilePath, **settings: object) -> Box:
    box = Box(folder, **settings)  # type: ignore[arg-type]
    furnish(box.host)
    return box


def broken(kernel: Kernel) -> None:
    kernel.devices["eth7"].master = None
    kernel.queues.pop(f"{TAP} root")
    kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], run=Run.STOPPED)
    kernel.schedulers.clear()


@in_loop
async def test_everything_is_brought_to_what_is_configured(tmp_path: FilePath) -> None:
    box = await everything(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        whole = box.host.snapshot()
        assert await box.transactor.reconcile(ALL) == Report(1, (), (), ())
        broken(box.host.kernel)
        left = box.host.snapshot()
        planned = await box.transactor.reconcile(replace(ALL, dry_run=True))
        assert box.host.snapshot() == left and planned.steps
        done = await box.transactor.reconcile(ALL)
        assert lines(done) == lines(planned) and not done.failed and not done.waiting
        assert box.host.snapshot() == whole
        assert box.transactor.running.revision == 1
        events = await box.store.read(lambda db: notice.read(db, 0, 100))
        repairs = [event.body for event in events if event.kind == notice.REPAIR]
        assert [body["author"] for body in repairs] == ["admin", "admin"]
        assert any("port eth7" in line for line in repairs[1]["step"])


@in_loop
async def test_only_the_objects_that_are_asked_for(tmp_path: FilePath) -> None:
    box = await everything(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        broken(box.host.kernel)
        assert lines(await box.transactor.reconcile(of(demo.LAN))) == ["create port eth7"]
        assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED
        await box.transactor.reconcile(of(demo.FW1))
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        with pytest.raises(RequestError) as caught:
            await box.transactor.reconcile(of())
        assert caught.value.violations[0].fault is Fault.NO_DATA


@in_loop
async def test_a_running_guest_is_disturbed_no_more_than_was_agreed_to(tmp_path: FilePath) -> None:
    box = await everything(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        box.host.kernel.devices[TAP].master = "brdfvbcpnlhqw"  # in another bridge: back is a flap
        done = await box.transactor.reconcile(ALL)
        assert done.steps == () and box.host.kernel.devices[TAP].master == "brdfvbcpnlhqw"
        (waiting,) = done.waiting
        assert "is LINK_FLAP, at most LIVE" in waiting.constraint and waiting.remedy == "agree to more"
        done = await box.transactor.reconcile(replace(ALL, most=Effect.LINK_FLAP))
        assert box.host.kernel.devices[TAP].master == LAN and done.waiting == ()


@in_loop
async def test_a_guest_that_needs_a_restart_waits_for_one(tmp_path: FilePath) -> None:
    box = await everything(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        box.host.kernel.domains[DOMAIN] = replace(box.host.kernel.domains[DOMAIN], digest="sha256:other")
        left = box.host.snapshot()
        done = await box.transactor.reconcile(replace(ALL, most=Effect.RECREATE))
        assert box.host.snapshot() == left
        assert {one.remedy for one in done.waiting} == {"set admin-state STOPPED, and RUNNING again"}


@in_loop
async def test_what_fails_is_named_and_the_rest_is_done(tmp_path: FilePath) -> None:
    box = await everything(tmp_path, repair_pauses=(1000.0,))
    async with started(box):
        await box.submit(demo.everything())
        broken(box.host.kernel)

        async def trap(when: str, key: Key, _: Resource | None) -> None:
            if when == "before" and key.name == "eth7":
                raise DriverError("no room")

        box.drivers.set_trap(trap)
        done = await box.transactor.reconcile(ALL)
        assert [(str(one.path), "no room" in one.constraint) for one in done.failed] == [
            (f"{demo.LAN}/ports/port[interface=eth7]", True)
        ]
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        assert demo.LAN in {alarm.resource for alarm in box.publisher.alarms.values()}


@in_loop
async def test_who_may_not_write_or_is_locked_out_is_refused(tmp_path: FilePath) -> None:
    def gate(request: Request) -> None:
        if request.session != 7 and request.source == "config":
            raise RequestError(Violation(FW1, Fault.LOCKED, "locked"))

    def permit(changed: Sequence[ObjectChange]) -> None:
        denied = [change.path for change in changed if change.path != FW1]
        if denied:
            raise RequestError(*(Violation(path, Fault.DENIED, "not yours") for path in denied))

    box = await everything(tmp_path, gate=gate)
    async with started(box):
        await box.submit(demo.everything())
        broken(box.host.kernel)
        left = box.host.snapshot()
        with pytest.raises(RequestError, match="locked"):
            await box.transactor.reconcile(ALL)
        assert (await box.transactor.reconcile(replace(ALL, dry_run=True))).steps
        with pytest.raises(RequestError, match="not yours"):
            await box.transactor.reconcile(replace(ALL, session=7, permit=permit))
        assert box.host.snapshot() == left
        await box.transactor.reconcile(of(demo.FW1, session=7, permit=permit))
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        assert box.host.kernel.devices["eth7"].master is None
