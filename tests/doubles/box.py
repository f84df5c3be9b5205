"""A whole writer over a fake host: real schema, rules, planner, datastore file; fake drivers."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import Any
from uuid import UUID

from doubles.drivers import FakeDrivers
from doubles.host import Device, Host
from doubles.publisher import RecordingPublisher
from twinplane.clock import Clock
from twinplane.configuration import Configuration
from twinplane.model import rules
from twinplane.model.host import Accelerator, Capabilities
from twinplane.object_codec import ObjectCodec
from twinplane.plan.plan import plan
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.json_ietf import encode
from twinplane.schema.validate import Validator
from twinplane.schema.write import JsonPayload, edits
from twinplane.transaction.collaborator import Mark, Precheck
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.execute import Executor
from twinplane.transaction.request import Outcome, Request
from twinplane.transaction.standing import Gate, Parts, unlocked, unmeasured
from twinplane.transaction.transactor import Transactor
from twinplane.tree.diff import objects
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.node import Container
from twinplane_wire.path import parse

YANG = FilePath(__file__).parents[2] / "yang"
INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
STATE_DIR = PurePath("/var/lib/twinplane")  # what definitions name; nothing is written there
CAPABILITIES = Capabilities(
    cpus=4,
    memory=8 << 30,
    reserve_cpu=0,
    reserve_memory=1 << 30,
    accelerator=Accelerator.TCG,
    overhead=256 << 20,
)


@functools.cache
def schemas() -> Schemas:
    """The modules of the product, compiled once per process."""
    return load_schema(YANG, None)


@functools.cache
def validator() -> Validator:
    """libyang with these modules."""
    return Validator(schemas())


def replaced(path: str, value: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edits of a gNMI replace."""
    payload = JsonPayload(json.dumps(value).encode())
    return edits(schemas().default, Operation.REPLACE, parse(path), payload)


def updated(path: str, value: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edits of a gNMI update."""
    payload = JsonPayload(json.dumps(value).encode())
    return edits(schemas().default, Operation.UPDATE, parse(path), payload)


def deleted(path: str) -> tuple[Edit, ...]:
    """The edits of a gNMI delete."""
    return edits(schemas().default, Operation.DELETE, parse(path))


def documents(root: Container) -> dict[str, Any]:
    """Every object of a tree as JSON, by path: what two configurations are compared by."""
    table = schemas().default
    return {str(path): json.loads(encode(entry, table.at(path), ietf=True)) for path, entry in objects(root)}


def furnish(host: Host) -> None:
    """What was on the host before the agent: none of it may ever differ afterwards."""
    host.kernel.devices |= {
        "eth7": Device("", up=True, mtu=1500, mac="52:54:00:00:00:07"),
        "eth8": Device("", up=True, mtu=9000, mac="52:54:00:00:00:08", master="br-lab", generation=2),
        "br-lab": Device("bridge", mac="52:54:00:00:00:09", up=True),
    }
    host.kernel.foreign_domains.add("windows")
    host.save()


class Box:
    """One agent's writer and the host it works on."""

    def __init__(
        self,
        folder: FilePath,
        *,
        host: Host | None = None,
        mark: Mark = unmeasured,
        prechecks: Iterable[Precheck] = (),
        repair_pauses: tuple[float, ...] = (0.01,),
        modules: str | None = None,
        clock: Clock | None = None,
        gate: Gate = unlocked,
    ) -> None:
        self.folder = folder
        self.host = host if host is not None else Host(folder / "host")
        self.drivers = FakeDrivers(self.host)
        self.publisher = RecordingPublisher()
        self.clock = clock or Clock()
        self.store = Datastore(folder / "twinplane.db", ObjectCodec(schemas()))
        self.model = Configuration(
            schemas(),
            validator(),
            INSTANCE,
            CAPABILITIES,
            STATE_DIR,
            rules.Host(lambda _: None, lambda _: None),
        )
        self.transactor = Transactor(
            Parts(
                store=self.store,
                executor=Executor(self.drivers.all),
                model=self.model,
                planner=plan,
                publisher=self.publisher,
                clock=self.clock,
                read_foreign=self.drivers.read_foreign,
                sweep=self.drivers.sweep,
                modules=schemas().digest if modules is None else modules,
                prechecks=tuple(prechecks),
                final_pauses=(0.0, 0.0),
                repair_pauses=repair_pauses,
                mark=mark,
                gate=gate,
            )
        )

    async def submit(self, *changes: tuple[Edit, ...], dry_run: bool = False) -> Outcome:
        """One request of all these edits."""
        request = Request(
            tuple(edit for change in changes for edit in change), "admin", "test", "unix:", dry_run=dry_run
        )
        return await self.transactor.submit(request)

    @property
    def configured(self) -> dict[str, Any]:
        """Running, as JSON by path."""
        return documents(self.transactor.running.root)

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait for what another task brings about."""
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def started(box: Box) -> AsyncIterator[Box]:
    """The box with its writer running and recovered; closed in order afterwards."""
    await box.transactor.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.transactor.serve())
        try:
            await box.transactor.repair()  # its turn comes after recovery's
            yield box
        finally:
            await box.transactor.close()
