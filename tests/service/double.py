"""A target in memory: edits come true at once, nothing is judged but what the schema judges while reading.

Stands for the transactor, the operational tree and the subscribe room where a test is about the wire alone.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path as File

import grpc

from twinplane.clock import Clock
from twinplane.errors import TwinplaneError
from twinplane.identity.directory import Directory
from twinplane.identity.user import ensure_users
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.defaults import with_defaults
from twinplane.services.gnmi.leaf import LeafEncoder
from twinplane.services.gnmi.service import NAME, gnmi
from twinplane.services.gnmi.target import Target
from twinplane.services.rpc import Door, Limits
from twinplane.services.server import Listener, Server, local_sockets
from twinplane.services.standard import Standard
from twinplane.services.usage import Usage
from twinplane.state.operational import Operational
from twinplane.subscribe.encode import Item, Notice, Synced
from twinplane.subscribe.stream import Subscriber
from twinplane.subscribe.subscription import SubscriptionList
from twinplane.transaction.request import Outcome, Request
from twinplane.tree import edit, query
from twinplane.tree.diff import diff
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import ROOT, Path

YANG = File(__file__).parents[2] / "yang"


class Memory:
    """Transactor, operational tree and subscribe room in one."""

    annotation = ""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.clock = Clock()
        self.running = Container()
        self.state = Container()
        self.requests: list[Request] = []
        self.polled: list[tuple[Path, ...]] = []
        self.failure: TwinplaneError | Exception | None = None
        self.wanted: list[SubscriptionList] = []
        self.pending: asyncio.Queue[Item] = asyncio.Queue()
        self.streams = 0
        self.encode = LeafEncoder(schemas)

    @property
    def target(self) -> Target:
        return Target(self.schemas, self, self)

    @property
    def subscriber(self) -> "Memory":
        return self

    def root(self, origin: str = "") -> Container:
        full = with_defaults(self.schemas.default, ROOT, self.running)
        merged = merge(full, self.state)
        assert isinstance(merged, Container)
        return merged

    def stamp(self) -> int:
        return self.clock.now_ns()

    async def fresh(self, prefixes: Iterable[Path]) -> None:
        self.polled.append(tuple(prefixes))

    async def submit(self, request: Request) -> Outcome:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        before = self.running
        self.running = edit.apply(self.running, request.edits)
        return Outcome(len(self.requests), self.clock.now_ns(), self.running != before, ())

    async def once(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        self.wanted.append(wanted)
        if not wanted.updates_only:
            for entry in wanted.subscriptions:
                for path, node in query.select(self.root(), entry.path):
                    for leaf_path, leaf in query.leaves(node, path):
                        above = Path(leaf_path.elems[:-1])
                        pieces = self.encode(above, [(leaf_path.elems[-1].name, leaf)], wanted.encoding)
                        yield Notice(Path(), self.clock.now_ns(), tuple(pieces))
        yield Synced()

    async def stream(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        self.streams += 1
        try:
            async for item in self.once(wanted):
                yield item
            while True:
                yield await self.pending.get()
        finally:
            self.streams -= 1


def merge(left: Node | None, right: Node) -> Node:
    if isinstance(left, Container) and isinstance(right, Container):
        return Container(
            {
                **left.children,
                **{name: merge(left.get(name), child) for name, child in right.children.items()},
            }
        )
    if isinstance(left, Entries) and isinstance(right, Entries):
        merged = {key: merge(left.entries.get(key), entry) for key, entry in right.entries.items()}
        return Entries(left.key_names, {**left.entries, **merged})  # type: ignore[dict-item]
    return right


def memory() -> Memory:
    return Memory(load_schema(YANG, None))


class Live:
    """The real operational tree and subscribe room; a transactor that commits without judging or planning."""

    annotation = ""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.clock = Clock()
        self.running = Container()
        self.revision = 0
        self.operational = Operational(self.clock, partial(with_defaults, schemas.default))
        self.subscriber = Subscriber(self.operational, LeafEncoder(schemas))

    @property
    def target(self) -> Target:
        return Target(self.schemas, self.operational, self)

    async def submit(self, request: Request) -> Outcome:
        before, self.running = self.running, edit.apply(self.running, request.edits)
        changes, time = diff(before, self.running).objects, self.clock.now_ns()
        self.revision += bool(changes)
        self.operational.committed(changes, (), time, self.revision)
        return Outcome(self.revision, time, bool(changes), ())


def live() -> Live:
    return Live(load_schema(YANG, None))


@asynccontextmanager
async def serving(
    folder: File, target: Memory | Live, listeners: Sequence[Listener] = (), limits: Limits | None = None
) -> AsyncIterator[tuple[str, ...]]:
    """A real server over the two local sockets and `listeners`; yields their addresses in this order."""
    limits = limits or Limits()
    ensure_users(folder / "users.toml")
    users = Directory(folder / "users.toml")
    usage = Usage(limits.streams_per_user, limits.requests_per_second)
    service = gnmi(target.target, target.subscriber, limits)
    standard = Standard((NAME,))
    server = Server(
        (*local_sockets(folder), *listeners),
        lambda gate: tuple(one.behind(Door(gate, users, limits, usage)) for one in (service, standard)),
        standard,
        limits,
    )
    try:
        addresses = await server.start()
        await server.set_serving(True)
        yield addresses
    finally:
        await server.stop(0.0)


async def raw(channel: grpc.aio.Channel, method: str, request: bytes) -> bytes:
    """One call with bytes in and out; raises AioRpcError."""
    answer: bytes = await channel.unary_unary(f"/gnmi.gNMI/{method}")(request, timeout=20)
    return answer
