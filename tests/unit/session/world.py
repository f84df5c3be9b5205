"""The real thing in virtual time: sessions, both faces' methods, the writer and its file, recording drivers.

It can be ended at any effect or stage, and started again on what was left.
"""

import asyncio
import functools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path as File
from typing import Any

from doubles import demo
from doubles.box import Box, documents, furnish, schemas
from doubles.host import Host
from doubles.virtual import LonelyLoop
from twinplane.clock import Clock
from twinplane.identity.role import Role
from twinplane.object_codec import ObjectCodec
from twinplane.plan.resource import Noun
from twinplane.services.auth import Caller
from twinplane.services.config.commit import CommitMethods, orphaned
from twinplane.services.config.edit import EditMethods
from twinplane.services.config.session import SessionMethods
from twinplane.services.config.target import Target
from twinplane.services.gnmi.set import Set
from twinplane.services.gnmi.target import Target as Wired
from twinplane.services.view import Views
from twinplane.session.registry import Sessions
from twinplane.transaction.history import History
from twinplane.tree.node import Container
from twinplane_wire.v1 import config_pb2 as pb

EPOCH = 1_700_000_000_000_000_000
CALLERS = {"ann": Caller("ann", Role.ADMIN, "unix:"), "bob": Caller("bob", Role.OPERATOR, "unix:")}
SWITCH = "/virtual-switches/virtual-switch"
PATHS = {"dmz": f"{SWITCH}[name=dmz]", "spare": f"{SWITCH}[name=spare]", "fw1": demo.FW1}
VARIANTS = (1, 2, 3)


class CrashError(BaseException):
    """The process ends here, and nothing of it runs any more."""


def document(name: str, variant: int) -> dict[str, Any]:
    """An object in one of its variants, which differ in one leaf."""
    if name == "dmz":
        return {"config": {"name": name, "description": f"variant {variant}"}}
    if name == "spare":
        return {"config": {"name": name, "mtu": 1400 + variant}}
    return _firewall(variant)


@functools.cache
def _firewall(variant: int) -> dict[str, Any]:
    value = demo.appliance(limit=300 + variant)[0].value
    assert isinstance(value, Container)
    codec = ObjectCodec(schemas())
    body: dict[str, Any] = json.loads(codec.encode(demo.appliance()[0].path, value))
    return body


def variants(root: Container) -> dict[str, int]:
    """Which objects a configuration has, and in which variants."""
    found = documents(root)
    return {
        name: next(one for one in VARIANTS if _told(name, one) in json.dumps(found[path]))
        for name, path in PATHS.items()
        if path in found
    }


def _told(name: str, variant: int) -> str:
    return {"dmz": f"variant {variant}", "spare": f"{1400 + variant}", "fw1": f'"limit": {300 + variant}'}[
        name
    ]


class World:
    """One box that lives several lives. Time passes only while something sleeps."""

    def __init__(self) -> None:
        self.folder = File(tempfile.mkdtemp(prefix="tps"))
        self.host = Host()
        furnish(self.host)
        self.host.hook = lambda _, label: self._strike(label)
        self.fuse: int | None = None
        self.dead = False
        self.loop = LonelyLoop()
        self.start()
        base = (*demo.image(), *demo.switch(demo.LAN, "eth7"), *demo.switch(demo.WAN))
        self.run(self.box.submit(base))

    # lives

    def start(self) -> None:
        """Start the agent; a fuse may end it meanwhile, then it starts once more."""
        while True:
            try:
                self._start()
            except CrashError:
                self._bury()
            else:
                return

    def _start(self) -> None:
        self.dead = False
        loop = self.loop
        clock = Clock(source=lambda: EPOCH + int(loop.time() * 1e9))
        self.sessions = Sessions(clock, loop.call_later)
        self.box = Box(self.folder, host=self.host, mark=self._strike, clock=clock, gate=self.sessions.gate)
        box, codec = self.box, ObjectCodec(schemas())
        target = Target(
            schemas(),
            None,  # type: ignore[arg-type]  # what is called here reads no state
            box.transactor,
            History(box.store, codec.decode),
            box.store,
            box.model,
            self.sessions,
        )
        self.sessions.ended = orphaned(box.transactor)
        self.opening, self.edits, self.commits = (
            SessionMethods(target),
            EditMethods(target, Views(target.schemas)),
            CommitMethods(target, Views(target.schemas)),
        )
        self.set = Set(Wired(schemas(), None, box.transactor))  # type: ignore[arg-type]
        self.streams: dict[int, asyncio.Task[None]] = {}
        self.secrets: dict[int, str] = {}
        self.serving: asyncio.Task[None] = loop.create_task(asyncio.sleep(3e9))
        self.run(box.transactor.start())
        self.serving.cancel()
        self.serving = loop.create_task(box.transactor.serve())
        self.run(box.transactor.repair())
        self.fuse = None

    def crash(self) -> None:
        """The process is gone."""
        self._bury()
        self.start()

    def restart(self) -> None:
        """It is ended in order."""
        self.run(self.box.transactor.close())
        self._bury()
        self.start()

    def close(self) -> None:
        """The end of the test."""
        self._bury()
        self.loop.close()
        shutil.rmtree(self.folder)

    def _bury(self) -> None:
        self.dead, self.fuse = True, None
        self.box.store._close()
        self.serving.cancelled() or (
            self.serving.done() and self.serving.exception()
        )  # expected: not reported
        for _ in range(3):  # what is cancelled may begin something in its turn
            if tasks := asyncio.all_tasks(self.loop):
                for task in tasks:
                    task.cancel()
                self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        now = self.loop.time()
        self.loop.close()
        self.loop = LonelyLoop(now)

    def _strike(self, _: str) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            self.dead = self.dead or self.fuse < 0
        if self.dead:
            raise CrashError

    # calls

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        """What a call answers or raises. Raises CrashError when the process ends in it."""
        task = self.loop.create_task(call)
        ended = asyncio.FIRST_COMPLETED
        self.loop.run_until_complete(asyncio.wait({task, self.serving}, return_when=ended))
        if self.dead:
            task.cancelled() or (task.done() and task.exception())  # looked at, so that nobody reports it
            raise CrashError
        return task.result()

    def settle(self) -> None:
        """Let everything be done that is under way."""
        self.run(asyncio.sleep(1e-9))

    def open(self, user: str, linger: float) -> int:
        """Open a session; its number."""
        request = pb.OpenSessionRequest()
        request.linger.FromNanoseconds(int(linger * 1e9))
        opened = self._stream(user, request)
        self.secrets[opened.session_id] = opened.secret
        return int(opened.session_id)

    def resume(self, number: int, user: str, secret: str) -> None:
        """Connect a session again."""
        self._stream(user, pb.OpenSessionRequest(session_id=number, secret=secret))

    def disconnect(self, number: int) -> None:
        """Its stream is gone."""
        self.streams.pop(number).cancel()
        self.settle()

    def _stream(self, user: str, request: pb.OpenSessionRequest) -> pb.SessionEvent.Opened:
        events: list[pb.SessionEvent] = []

        async def requests() -> AsyncIterator[pb.OpenSessionRequest]:
            yield request

        async def write(message: bytes) -> None:
            events.append(pb.SessionEvent.FromString(message))

        task = self.loop.create_task(self.opening.open(CALLERS[user], requests(), write))
        self.settle()
        if task.done():
            task.result()
        opened = events[0].opened
        self.streams[opened.session_id] = task
        return opened

    # looking

    @property
    def configured(self) -> dict[str, int]:
        """What is configured."""
        return variants(self.box.transactor.running.root)

    def numbers(self) -> list[int]:
        """The numbers of all commits."""
        db = self.box.store._db
        assert db is not None
        return [number for (number,) in db.execute("SELECT number FROM commits ORDER BY number")]

    def differs(self) -> str:
        """What the host has too much or too little for what is configured; empty: nothing."""
        wanted = set(self.box.model.everything(self.box.transactor.running.forest))
        kernel = self.host.kernel
        there = {
            *((Noun(one.kind), name) for name, one in kernel.devices.items() if one.owner is not None),
            *((Noun.DOMAIN, name) for name in kernel.domains),
            *((kernel.files[name].key.noun, name) for name in kernel.files),
        }
        nouns = {Noun.BRIDGE, Noun.TAP, Noun.IFB, Noun.DOMAIN, Noun.IMAGE_FILE, Noun.SEED}
        expected = {(key.noun, key.name) for key in wanted if key.noun in nouns}
        return f"{there ^ expected or ''}{kernel.trash or ''}"
