"""Kills a writer with SIGKILL at every point of a transaction, in processes of their own.

Run as ``python -m doubles.killing FOLDER``. For each story the base is configured once; then, for every point
(before and after each effect on the host, and at each stage of the transaction) a copy of that box is worked
on by a forked process that kills itself there. What each left behind stays in FOLDER/<story>/<number>, with
``old`` and ``new`` beside them and ``points.json`` to say what happened where.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path as FilePath

from doubles import demo
from doubles.box import Box, furnish, started
from twinplane.errors import DriverError
from twinplane.plan.resource import Key, Noun, Resource
from twinplane.transaction.execute import UndoError
from twinplane.tree.edit import Edit

OTHER = "/virtual-switches/virtual-switch[name=other]"
Strike = Callable[[str], None]


@dataclass(frozen=True)
class Story:
    """What stands before, and what is done to it; None: nothing but recovery. `killed` is a point of another
    story whose wreck is the base, and `new` says that that one was committed. `fails` is asked for first, and
    can neither be done nor undone until the change is over."""

    base: tuple[Edit, ...] = ()
    change: tuple[Edit, ...] | None = None
    killed: tuple[str, str] | None = None
    fails: tuple[Edit, ...] = ()


def stories() -> dict[str, Story]:
    """In an order in which wrecks come after the stories that they are taken from."""
    return {
        "create": Story((), demo.everything()),
        "live": Story(demo.everything(), demo.appliance(limit=250, rate=20_000_000)),
        "redefine-and-start": Story(
            demo.everything(state="STOPPED"), demo.appliance(memory=512 << 20, rules="table inet other { }\n")
        ),
        "start": Story(demo.everything(state="STOPPED"), demo.appliance()),
        "stop": Story(demo.everything(), demo.appliance(state="STOPPED", stop_timeout=0)),
        "change-ports": Story(demo.everything(), (*demo.switch(demo.LAN), *demo.switch(demo.WAN, "eth7"))),
        "delete": Story(demo.everything(), demo.nothing()),
        "left-over": Story(demo.image(), demo.switch(OTHER), fails=demo.everything()),
        "recover-unmarked": Story(killed=("create", "after tap tpvfehp5kkmtw make")),
        "recover-started": Story(killed=("create", "after domain vmcj2zgj6z5h5 resume")),
        "recover-redefined": Story(killed=("redefine-and-start", "after domain vmcj2zgj6z5h5 start")),
        "recover-aside": Story(killed=("delete", "after domain vmcj2zgj6z5h5 suspend")),
        "recover-final": Story(killed=("delete", "after domain vmcj2zgj6z5h5 undefine")),
    }


async def work(folder: FilePath, story: Story, strike: Strike) -> None:
    """Start on the folder and do what the story says; every point is reported to `strike`."""
    # Repairs come when they are asked for, so that the points are always the same.
    box = Box(folder, mark=lambda stage: strike(f"stage {stage}"), repair_pauses=(1000.0,))
    if story.change is None:
        box.host.hook = lambda when, label: strike(f"{when} {label}")
    async with started(box):
        if story.change is not None:
            box.host.hook = lambda when, label: strike(f"{when} {label}")
            if story.fails:
                box.drivers.set_trap(_refuse)
                with suppress(UndoError):
                    await box.submit(story.fails)
            await box.submit(story.change)
            if story.fails:
                box.drivers.set_trap(_allow)
                await box.transactor.repair()


async def _refuse(when: str, key: Key, wanted: Resource | None) -> None:
    """A guest gets no share, and no tap can be taken away."""
    if when == "before" and (key.noun is Noun.SCHEDULER or (key.noun is Noun.TAP and wanted is None)):
        raise DriverError("busy")


async def _allow(_when: str, _key: Key, _wanted: Resource | None) -> None:
    pass


async def configure(folder: FilePath, base: tuple[Edit, ...]) -> None:
    """The base of a story."""
    folder.mkdir(parents=True)
    box = Box(folder)
    furnish(box.host)
    async with started(box):
        if base:
            await box.submit(base)


def points(folder: FilePath, story: Story) -> list[str]:
    """Run to the end; every point on the way."""
    found: list[str] = []
    asyncio.run(work(folder, story, found.append))
    return found


def kill_at(folder: FilePath, story: Story, number: int) -> None:
    """Run in another process that kills itself at the point with this number."""
    child = os.fork()
    if child == 0:
        passed = 0

        def strike(_: str) -> None:
            nonlocal passed
            if passed == number:
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1

        try:
            asyncio.run(work(folder, story, strike))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        raise SystemExit(f"{folder}: the process ended by itself at point {number}")


def tell(root: FilePath, name: str, story: Story) -> None:
    """One story, killed everywhere."""
    folder = root / name
    if story.killed is None:
        asyncio.run(configure(folder / "old", story.base))
        base = folder / "old"
    else:
        source, label = story.killed
        number = json.loads((root / source / "points.json").read_text()).index(label)
        base = root / source / str(number)
    whole = shutil.copytree(base, folder / "new")
    found = points(whole, story)
    for number in range(len(found)):
        kill_at(shutil.copytree(base, folder / str(number)), story, number)
    (folder / "points.json").write_text(json.dumps(found))


if __name__ == "__main__":
    for told, plot in stories().items():
        tell(FilePath(sys.argv[1]), told, plot)
