"""What a user may not see is named to them neither by alarms nor by plans, events or messages about what
they do see."""

from typing import Any

import grpc

from conformance.firewall import FW1, IMAGE, LAN, WAN, everything
from conformance.wire import apply, leaves
from service.configuring import Box, edit, path, refusal, run
from service.test_read_authorisation import answers, as_gnmi, texts
from twinplane.errors import ApplyError, DegradedError, Fault, RequestError, Violation
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import set_user
from twinplane.services.auth import Caller
from twinplane.services.view import ANOTHER, Views
from twinplane.state.facts import AlarmFact
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2 as pb

Code = grpc.StatusCode
ALARMS = "/system/alarms"
DOMAIN = "vmcj2zgj6z5h5"


def row(name: str) -> str:
    """The path of an alarm."""
    escaped = name.replace("]", "\\]")
    return f"{ALARMS}/alarm[id={escaped}]"


async def filled(box: Box) -> None:
    """A firewall, and an operator who may not see it."""
    rules = (Rule(parse(FW1), Access.NONE), Rule(parse("/system/host"), Access.NONE))
    set_user(box.target.folder / "users.toml", "blind", Role.OPERATOR, "blind-secret", rules)
    box.target.users.reload()
    await box.gnmi.set(update=everything())


def raise_alarms(box: Box, word: str, *, cleared: bool = False) -> None:
    """One about what is hidden, one that names it, one that names nothing, and two of the host, of which the
    name says nothing about whom they concern."""
    source = "/system/host/sources/source[name=libvirt]"
    box.target.operational.observed(
        [
            AlarmFact(f"failed {FW1}", FW1, "MAJOR", f"hidden {word}", cleared),
            AlarmFact(f"drift {LAN}", LAN, "MAJOR", f"{word}: taken by {FW1}/vnics; see {WAN}", cleared),
            AlarmFact(f"drift {WAN}", WAN, "MAJOR", f"open {word}", cleared),
            AlarmFact("privilege", "/system", "MAJOR", f"fw1 runs as root: {word}", cleared),
            AlarmFact("source libvirt", source, "MINOR", f"hidden {word}", cleared),
        ]
    )


def shown(tree: dict[str, Any]) -> dict[str, str]:
    """Texts of the alarms by their paths."""
    return {
        one.removesuffix("/state/text"): text for one, text in tree.items() if one.endswith("/state/text")
    }


def wanted(word: str) -> dict[str, str]:
    """What the operator may read of the alarms."""
    return {
        row(f"drift {LAN}"): f"{word}: taken by {ANOTHER}; see {WAN}",
        row(f"drift {WAN}"): f"open {word}",
        row("privilege"): "what it says may concern what you may not read, and is not shown to you",
    }


def test_alarms_of_what_is_unseen_are_not_shown_and_others_do_not_name_it() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        blind, tree = as_gnmi(box, "blind"), dict[str, Any]()
        raise_alarms(box, "one")
        async with blind.subscribe(ALARMS) as stream:
            for one in await stream.until_sync():
                apply(tree, one)
            assert shown(tree) == wanted("one")
            raise_alarms(box, "two")
            while shown(tree) != wanted("two"):
                message = await stream.notification()
                assert "fw1" not in texts(message) and "libvirt" not in texts(message)
                apply(tree, message)
            for where in (ALARMS, f"{ALARMS}/alarm", "/system", f"{ALARMS}/alarm[id=*]/state/text"):
                found = await blind.get(where, encoding="PROTO")
                assert shown(leaves(found.notification)) == wanted("two"), where
                assert "libvirt" not in texts(await answers(
                    box.user("blind").stream(pb.GetDataRequest(path=[path(where)]))
                ))  # fmt: skip
            for name in (f"failed {FW1}", "source libvirt", "none"):
                for where in (row(name), f"{row(name)}/state/text"):
                    assert (await refusal(blind.get(where)))[0] is Code.NOT_FOUND, where
            assert await blind.value(f"{row('privilege')}/state/text") == wanted("")[row("privilege")]
            everybody = shown(leaves((await box.gnmi.get(ALARMS, encoding="PROTO")).notification))
            assert everybody[row(f"failed {FW1}")] == "hidden two" and len(everybody) == 5
            raise_alarms(box, "two", cleared=True)
            while shown(tree):
                message = await stream.notification()
                assert "fw1" not in texts(message) and "libvirt" not in texts(message)
                apply(tree, message)

    run(scenario)


def test_plans_and_refusals_do_not_name_whom_else_they_reach() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        change = edit(pb.Edit.MERGE, f"{IMAGE}/config/command-line", "quiet")
        for name in ("local-admin", "blind"):
            user = box.admin if name != "blind" else box.user(name)
            async with user.session() as session:
                mine: dict[str, Any] = {"session_id": session.number}
                await user.call(pb.EditRequest(edit=[change], **mine))
                plan = await user.call(pb.PlanRequest(**mine))
                assert plan.change
                hidden = "fw1" in texts(plan) or DOMAIN in texts(plan)
                assert hidden is (name != "blind"), plan
        blind = box.user("blind")
        box.target.host.kernel.devices["eth7"].master = None
        box.target.host.kernel.schedulers.pop(DOMAIN)
        code, message, _ = await refusal(blind.call(pb.ReconcileRequest(dry_run=True)))
        assert code is Code.PERMISSION_DENIED and "fw1" not in message
        report = await blind.call(pb.ReconcileRequest(path=[path(LAN)], dry_run=True))
        assert report.step and "fw1" not in texts(report) and DOMAIN not in texts(report)
        await box.admin.call(pb.ReconcileRequest())
        for user, sees in ((box.admin, True), (blind, False)):
            found = await answers(user.stream(pb.NotificationsRequest(after_sequence=0, stop_at_now=True)))
            assert any(one.kind == "repair" for one in found)
            assert (DOMAIN in texts(found) and "fw1" in texts(found)) is sees
            assert (DOMAIN in texts(found) or "fw1" in texts(found)) is sees

    run(scenario)


def test_where_a_rebase_clashes_is_named_as_far_as_it_is_seen() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        blind = box.user("blind")
        async with blind.session() as session:
            mine: dict[str, Any] = {"session_id": session.number}
            [text] = (await blind.text(pb.GetConfigRequest(**mine))).values()
            await blind.call(pb.CopyConfigRequest(text=text, **mine))  # which leaves out what they do not see
            await box.gnmi.set(update={f"{FW1}/config/stop-timeout": 99})
            clash = await blind.call(pb.RebaseRequest(**mine))
            assert clash.conflict and "fw1" not in texts(clash)

    run(scenario)


def test_what_failed_and_what_is_left_over_is_not_named() -> None:
    async def scenario(box: Box) -> None:
        await filled(box)
        views = Views(box.target.schemas)
        user = box.target.users.users["blind"]
        blind = Caller("blind", Role.OPERATOR, "", user)
        hidden, seen = parse(FW1), parse(LAN)
        for error in (
            ApplyError(
                hidden, "APPLY create domain fw1", "fw1 is broken", undone=False, left=("domain fw1",)
            ),
            ApplyError(seen, "APPLY change link", f"held by {FW1}", undone=False, left=("domain fw1",)),
            DegradedError(("domain fw1",), (hidden,)),
            DegradedError(("domain fw1",), (hidden, seen)),
            DegradedError(("domain fw1",)),
            RequestError(Violation(hidden, Fault.STATE, "fw1 runs")),
            RequestError(Violation(seen, Fault.REFERENCE, f"{FW1}/vnics refers to it", f"delete {FW1}")),
        ):
            told = views.told(blind, error)
            assert type(told) is type(error) and "fw1" not in str(told), told
            assert "fw1" not in texts(list(getattr(told, "violations", ()))) + texts(
                [getattr(told, "objects", ()), getattr(told, "left", ())]
            )
        mine = RequestError(Violation(seen, Fault.STATE, f"{WAN} and /var/lib/x.y are fine."))
        assert views.told(blind, mine) is mine

    run(scenario)
