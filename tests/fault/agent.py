"""The agent with a saboteur between the transaction and its drivers, run as a process of its own.

    python tests/fault/agent.py STRIKES

STRIKES is a file of strikes (JSON), absent as long as nothing shall happen. It is read at every occasion, so
that tests arm and disarm an agent that runs. The product knows nothing of this: everything is wrapped here.
"""

import os

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import asyncio
import contextvars
import fnmatch
import json
import pathlib
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any

from twinplane import app, log
from twinplane.back_end import BackEnd
from twinplane.errors import DriverError, UnavailableError
from twinplane.hypervisor.connection import Connection as Hypervisor
from twinplane.netlink.connection import Connection as Netlink
from twinplane.plan.resource import Found, Key, Noun, Resource
from twinplane.settings import load
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.driver import Driver

# Set while a step is under way in which the process is to die: what to do at its first effect.
_amid: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("amid", default=None)


class Saboteur:
    """Knows the strikes and counts the turns of each key since they were armed."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._armed = ""
        self._turns: dict[str, int] = {}

    def turn(self, name: str) -> str:
        """How this turn of a key is struck: fail, before, in, after, soon, recorded; empty: not at all."""
        try:
            armed = self._file.read_text()
        except FileNotFoundError:
            return ""
        if armed != self._armed:
            self._armed, self._turns = armed, {}
        self._turns[name] = turn = self._turns.get(name, 0) + 1
        for strike in json.loads(armed)["strikes"]:
            if fnmatch.fnmatchcase(name, strike["key"]):
                due = turn >= strike["turn"] if strike["lasting"] else turn == strike["turn"]
                if due:
                    if strike["how"] == "soon":
                        threading.Timer(strike["delay"], lambda: self.kill(name, "soon")).start()
                    if strike["how"] == "recorded":
                        watch = partial(self._watch, name, strike["delay"])
                        threading.Thread(target=watch, daemon=True).start()
                    return str(strike["how"])
        return ""

    def effect(self) -> None:
        """Something was changed on the host: one more turn of the key ``effect``, after which it may end."""
        if self.turn("effect") == "after":
            self.kill("effect", "after")

    def _watch(self, name: str, delay: float) -> None:
        """Die `delay` seconds after libvirt has written its first record of a guest."""
        folder = pathlib.Path(os.environ["TWINPLANE_AGENT_STATE_DIR"], "libvirt/run/qemu")
        before = set(folder.glob("*.xml"))
        while not set(folder.glob("*.xml")) - before:
            pass
        end = time.monotonic() + delay
        while time.monotonic() < end:
            pass
        self.kill(name, "recorded")

    def struck(self, name: str, how: str) -> None:
        """Leave a note for the test: it was reached."""
        with self._file.with_suffix(".struck").open("a") as note:
            note.write(f"{how} {name}\n")

    def kill(self, name: str, how: str) -> None:
        """Die as by SIGKILL from outside."""
        self.struck(name, how)
        os.kill(os.getpid(), signal.SIGKILL)


class Sabotaged:
    """A driver whose turns may be struck."""

    def __init__(self, driver: Driver, saboteur: Saboteur) -> None:
        self._driver = driver
        self._saboteur = saboteur

    @property
    def nouns(self) -> frozenset[Noun]:
        return self._driver.nouns

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        name = str(key)
        how = self._saboteur.turn(name)
        if how == "fail":
            self._saboteur.struck(name, how)
            raise DriverError("struck by the test")
        if how == "before":
            self._saboteur.kill(name, how)
        if how == "in":
            _amid.set(lambda: self._saboteur.kill(name, how))
        there = await self._driver.ensure(key, wanted)
        if how in ("in", "after"):
            self._saboteur.kill(name, how)
        return there

    async def find(self, key: Key) -> Found:
        return await self._driver.find(key)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        return await self._driver.survey(keys)


def sabotage(saboteur: Saboteur) -> None:
    """Put the saboteur everywhere."""
    drivers = BackEnd.drivers

    def sabotaged(back_end: BackEnd) -> Sequence[Driver]:
        return tuple(Sabotaged(driver, saboteur) for driver in drivers(back_end))

    BackEnd.drivers = sabotaged  # type: ignore[method-assign]
    for name in ("_change", "create_tap", "set_setting"):
        setattr(Netlink, name, _deadly_after(getattr(Netlink, name), saboteur))
    Hypervisor._change = _deadly_amid(Hypervisor._change, saboteur)  # type: ignore[method-assign]
    pathlib.Path.rename = _deadly_rename(pathlib.Path.rename, saboteur)  # type: ignore[method-assign]
    for name in ("begin", "commit", "conclude"):
        setattr(Datastore, name, _struck(getattr(Datastore, name), name, saboteur))


def _deadly_after(change: Callable[..., Awaitable[Any]], saboteur: Saboteur) -> Callable[..., Awaitable[Any]]:
    """A change of the kernel's network after which the process dies, if a step is to end amid."""

    @wraps(change)
    async def deadly(*arguments: Any, **named: Any) -> Any:
        answer = await change(*arguments, **named)
        if (kill := _amid.get()) is not None:
            kill()
        saboteur.effect()
        return answer

    return deadly


def _deadly_amid(change: Callable[..., Awaitable[Any]], saboteur: Saboteur) -> Callable[..., Awaitable[Any]]:
    """A libvirt call during which the process dies: a start is then half done, quick calls are just over."""

    @wraps(change)
    async def deadly(*arguments: Any, **named: Any) -> Any:
        if (kill := _amid.get()) is not None:
            threading.Timer(0.15, kill).start()
        answer = await change(*arguments, **named)
        if kill is not None:
            # A definition is over long before; the start that follows it in the same step is to be hit.
            operation = arguments[2].__qualname__
            if "define" not in operation:
                kill()
        saboteur.effect()
        return answer

    return deadly


def _deadly_rename(rename: Callable[..., Any], saboteur: Saboteur) -> Callable[..., Any]:
    """The first of a step's file operations, after which the process dies."""

    @wraps(rename)
    def deadly(path: pathlib.Path, target: Any) -> Any:
        answer = rename(path, target)
        if (kill := _amid.get()) is not None:
            kill()
        saboteur.effect()
        return answer

    return deadly


def _struck(
    write: Callable[..., Awaitable[None]], name: str, saboteur: Saboteur
) -> Callable[..., Awaitable[None]]:
    """A write of the datastore that may fail or be the last."""

    @wraps(write)
    async def struck(*arguments: Any, **named: Any) -> None:
        how = saboteur.turn(name)
        if how == "fail":
            saboteur.struck(name, how)
            raise UnavailableError("struck by the test")
        if how == "before":
            saboteur.kill(name, how)
        await write(*arguments, **named)
        if how == "after":
            saboteur.kill(name, how)

    return struck


def main() -> None:
    """Run the agent with the settings of the environment until SIGTERM."""
    sabotage(Saboteur(pathlib.Path(sys.argv[1])))
    log.configure("INFO")
    asyncio.run(app.run(load(None)))


if __name__ == "__main__":
    main()
