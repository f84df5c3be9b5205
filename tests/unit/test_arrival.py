"""When the writer is asked to take host ports: when one appears, or when somebody else lets go of it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from doubles.loop import in_loop
from twinplane.arrival import Arrivals
from twinplane.state.collect import Feed
from twinplane.state.facts import Batch, LinkFact, LinkGone
from twinplane_wire.path import Path, parse

LAN = parse("/virtual-switches/virtual-switch[name=lan]")


def link(
    name: str, master: str | None = None, owner: Path | None = None, *, addressed: bool = False
) -> LinkFact:
    return LinkFact(name, 1, "veth", 1500, "", owner, True, "UP", True, 0, master, addressed)


def named(name: str, *others: str) -> LinkFact:
    return replace(link(name), alternatives=others)


def seen(*links: LinkFact) -> Batch:
    return Batch("netlink", links)


GONE = Batch("netlink", (LinkGone("eth7"),))
BRIDGES = (link("brours", owner=LAN), link("docker9"))


@pytest.mark.parametrize(
    ("first", "then", "asked"),
    [
        ((), [seen(link("eth7"))], True),
        ((), [seen(link("eth8"))], False),  # nobody wants that one
        ((link("ens7"),), [seen(named("ens7", "eth7"))], True),  # it has that name too, now
        ((named("ens7", "eth7"),), [seen(link("ens7")), seen(named("ens7", "eth7"))], True),
        ((named("ens7", "eth7"),), [seen(link("ens7"), named("ens8", "eth7"))], True),
        ((named("ens7", "eth7"),), [seen(named("ens7", "eth7"))], False),
        ((), [seen(link("eth7", "docker9")), seen(link("eth7"))], True),
        ((link("eth7"),), [seen(link("eth7"))], False),
        ((link("eth7"),), [GONE, seen(link("eth7"))], True),
        ((link("eth7", "docker9"),), [seen(link("eth7"))], True),
        ((link("eth7", "docker9"),), [Batch("netlink", (LinkGone("docker9"),)), seen(link("eth7"))], True),
        ((link("eth7", "docker9"),), [seen(link("eth7", "brours"))], True),
        ((link("eth7", addressed=True),), [seen(link("eth7"))], True),
        ((link("eth7", addressed=True),), [seen(link("eth7", "docker9"))], False),
        ((link("eth7", "docker9"),), [Batch("netlink", (*BRIDGES, link("eth7")), complete=True)], True),
        ((link("eth7", "brours"),), [seen(link("eth7"))], False),  # drift
        # The two have swapped their names between two looks.
        (
            (link("eth7"), replace(link("eth8"), index=2)),
            [seen(replace(link("eth7"), index=2), link("eth8"))],
            True,
        ),
        ((link("eth7", "brours"),), [Batch("netlink", (LinkGone("brours"),)), seen(link("eth7"))], False),
    ],
)
@in_loop
async def test_the_writer_is_asked_when_a_wanted_port_is_to_be_had(
    first: tuple[LinkFact, ...], then: list[Batch], asked: bool
) -> None:
    async def batches() -> AsyncIterator[Batch]:
        yield Batch("netlink", (*BRIDGES, *first), complete=True)
        for batch in then:
            yield batch

    arrivals = Arrivals(lambda name: frozenset({LAN}) if name == "eth7" else frozenset())
    async for _ in arrivals.watch(Feed("netlink", batches)).batches():
        pass
    assert arrivals._arrived.is_set() == asked and arrivals._waiting == ({LAN} if asked else set())
