"""Get of the whole tree at 1,000 appliances, against orjson on the same data as Python objects.

In one process and without the wire, which would be the same for both: from the parsed request to the encoded
answer, and from objects to text. Cold is a tree of which nothing was ever read; then one appliance changed
since the last read; then nothing did.
"""

import asyncio
from collections.abc import Iterable

import orjson

from bench.box import cpu_limit
from bench.client import admin, call, fill, folder, get_request, set_request
from bench.product import Product, composed
from bench.report import Measurement, emit
from bench.timing import in_turn_here, p50
from twinplane.identity.role import Role
from twinplane.services.auth import Caller
from twinplane.services.gnmi.get import Get
from twinplane.services.gnmi.target import Target
from twinplane.services.view import Views
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path

APPLIANCES = 1000
ROUNDS = 5
READER = Caller("reader", Role.READ_ONLY)


class Snapshot:
    """An operational tree that stands still."""

    def __init__(self, tree: Container) -> None:
        self.tree = tree

    def root(self, _origin: str = "") -> Container:
        return self.tree

    def stamp(self) -> int:
        return 1_700_000_000_000_000_000

    async def fresh(self, _prefixes: Iterable[Path]) -> None:
        """Nothing is polled."""


def unread(node: Node) -> Node:
    """The same tree, of which nothing was read yet."""
    if isinstance(node, Container):
        return Container({name: unread(child) for name, child in node.children.items()})
    if isinstance(node, Entries):
        entries = {key: unread(entry) for key, entry in node.entries.items()}
        return Entries(node.key_names, entries)  # type: ignore[arg-type]
    return node


def reading(target: Target, snapshot: Snapshot, request: gnmi_pb2.GetRequest) -> bytes:
    """One Get to its end; nothing in it waits."""
    answer = Get(Target(target.schemas, snapshot, target.transactor), Views(target.schemas), 1 << 30)(
        READER, request
    )
    try:
        answer.send(None)
    except StopIteration as stop:
        return bytes(stop.value)
    raise AssertionError("it waited")


async def measure(made: Product, name: str, encoding: int) -> list[Measurement]:
    """The three states of a tree, for one encoding."""
    request = gnmi_pb2.GetRequest(encoding=encoding)
    operational = made.target.operational
    snapshot = Snapshot(operational.root())
    data = document(reading(made.target, snapshot, request))
    floors: list[float] = []
    found = []
    async with admin(made.addresses) as channel:
        for number, state in enumerate(("cold", "one changed", "warm")):
            mine: list[float] = []
            for turn in range(ROUNDS):
                if state == "cold":
                    tree = unread(operational.root())
                    assert isinstance(tree, Container)
                    snapshot.tree = tree
                elif state == "one changed":
                    limit = 500 + turn + ROUNDS * (number + 10 * encoding)
                    await call(channel, "Set")(set_request(cpu_limit(turn), limit))
                    snapshot.tree = operational.root()
                ours, floor = in_turn_here(
                    1, lambda: reading(made.target, snapshot, request), lambda: orjson.dumps(data)
                )
                mine += ours
                floors += floor
                if state == "one changed" and turn == 0:
                    mine.clear()  # what was read of this very tree before was another's
            found.append((state, mine))
    note = f"{len(orjson.dumps(data)) / 1e6:.1f} MB"
    return [
        Measurement(
            f"Get of 1,000 appliances, {name}, {state}",
            p50(mine),
            "ms",
            p50(floors),
            "≤ 2×",
            note,
        )
        for state, mine in found
    ]


def document(answer: bytes) -> object:
    """The JSON document of a GetResponse, as Python objects."""
    value = gnmi_pb2.GetResponse.FromString(answer).notification[0].update[0].val
    return orjson.loads(value.json_ietf_val or value.json_val)


async def main() -> None:
    with folder() as place:
        async with composed(place / "s") as made:
            async with admin(made.addresses) as channel:
                await fill(channel, APPLIANCES)
                source = made.back_end.source
                source.events.put_nowait(source.everything())
                await asyncio.sleep(0.1)
                await call(channel, "Get")(get_request("/interfaces"))  # polls the counters
            for name, encoding in (("JSON_IETF", gnmi_pb2.JSON_IETF), ("JSON", gnmi_pb2.JSON)):
                emit(*await measure(made, name, encoding))


if __name__ == "__main__":
    asyncio.run(main())
