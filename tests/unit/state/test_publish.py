"""The pass of a large commit: others have turns in between and see all of it or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from twinplane.aside import Slices
from twinplane.clock import Clock
from twinplane.model.port import interface_path
from twinplane.model.switch import switch_path
from twinplane.state import operational
from twinplane.state.change import Change
from twinplane.state.facts import Batch, LinkFact
from twinplane.state.operational import Operational
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import get
from twinplane_wire.path import ROOT, Path

ETH0 = LinkFact("eth0", 2, "", 1500, "52:54:00:00:00:01", None, True, "UP", True, 1, None)


@dataclass(frozen=True, slots=True)
class Configured:
    path: Path
    after: Node | None


MANY = [
    Configured(switch_path(f"s{number}"), Container({"name": f"s{number}", "config": Container({})}))
    for number in range(50)
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operational, "Slices", partial(Slices, 0))
    monkeypatch.setattr(operational, "LARGE", 1)


def switches(tree: Operational) -> int:
    found = get(tree.view, ROOT.child("virtual-switches").child("virtual-switch"))
    return len(found.entries) if isinstance(found, Entries) else 0


def test_others_see_all_of_a_commit_or_nothing() -> None:
    async def body() -> tuple[list[int], list[list[Change]], list[int]]:
        tree = Operational(Clock())
        passes: list[list[Change]] = []
        revisions: list[int] = []

        def hear(changes: Sequence[Change]) -> None:
            passes.append(list(changes))
            revisions.append(tree.revision)

        tree.listen(hear)
        seen: list[int] = []
        commit = asyncio.create_task(tree.publish(MANY, (), tree.stamp(), 7))
        while not commit.done():
            seen.append(switches(tree) if tree.revision == 0 else -1)
            stamp = tree.stamp()
            await asyncio.sleep(0)
        await commit
        assert switches(tree) == len(MANY)
        assert all(change.time > stamp for change in passes[0])
        return seen, passes, revisions

    seen, passes, revisions = asyncio.run(body())
    assert len(seen) > 20
    assert set(seen) == {0}
    assert len(passes) == 1
    assert revisions == [7]


def test_what_comes_meanwhile_follows_afterwards() -> None:
    async def body() -> list[set[str]]:
        tree = Operational(Clock())
        passes: list[set[str]] = []
        tree.listen(lambda changes: passes.append({change.object.elems[0].name for change in changes}))
        commit = asyncio.create_task(tree.publish(MANY, (), tree.stamp(), 7))
        await asyncio.sleep(0)
        tree.apply(Batch("netlink", (ETH0,)))
        assert get(tree.view, interface_path("eth0")) is None
        await commit
        assert get(tree.view, interface_path("eth0")) is not None
        return passes

    assert asyncio.run(body())[:2] == [{"virtual-switches"}, {"interfaces"}]


def test_a_commit_that_is_cancelled_is_published_all_the_same() -> None:
    async def body() -> int:
        tree = Operational(Clock())
        commit = asyncio.create_task(tree.publish(MANY, (), tree.stamp(), 7))
        await asyncio.sleep(0)
        commit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await commit
        return switches(tree)

    assert asyncio.run(body()) == len(MANY)
