"""The way to the author of a change: cut only by a commit that is to be confirmed."""

import asyncio

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.plan.resource import Key, Noun
from twinplane.plan.step import Phase, Step
from twinplane.transaction.guard import ManagementPath, address_of
from twinplane.transaction.request import Act, Confirm, Request
from twinplane.transaction.work import Work
from twinplane.tree.forest import NOTHING
from twinplane_wire.path import ROOT

OWNER = ROOT.child("interfaces").child("interface", ("name", "eth1"))
STEP = Step(Phase.PLUG, Key(Noun.LINK, "eth1"), OWNER, None, None)


async def towards(address: str) -> frozenset[str]:
    return frozenset({"br0", "eth1"} if address == "192.0.2.7" else {"eth0"})


def judge(peer: str, confirm: Confirm | None = None, noun: Noun = Noun.LINK) -> None:
    step = Step(STEP.phase, Key(noun, "eth1"), OWNER, None, None)
    work = Work(Request((), "admin", "gnmi", peer, confirm=confirm), NOTHING, (), {}, {}, (step,))
    asyncio.run(ManagementPath(towards)(work))


def test_the_port_of_the_route_to_the_author_is_guarded() -> None:
    with pytest.raises(RequestError) as refusal:
        judge("ipv4:192.0.2.7:4711")
    (violation,) = refusal.value.violations
    assert (violation.path, violation.fault) == (OWNER, Fault.STATE)
    assert "confirmed" in violation.remedy


def test_other_ports_other_ways_and_confirmed_commits_are_not() -> None:
    judge("ipv4:192.0.2.8:4711")
    judge("unix:/run/admin.sock")
    judge("ipv4:192.0.2.7:4711", Confirm(Act.COMMIT, "x"))
    judge("ipv4:192.0.2.7:4711", noun=Noun.TAP)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.1:4711", "192.0.2.1"),
        ("ipv6:%5B2001:db8::1%5D:4711", "2001:db8::1"),
        ("ipv6:%5Bfe80::1%252%5D:4711", "fe80::1%2"),
        ("ipv6:[fe80::1%25eth0]:4711", "fe80::1%eth0"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_peer(peer: str, address: str) -> None:
    assert address_of(peer) == address
