"""When things became what they are, over restarts of the agent: told by what they are recognised by."""

import asyncio
import json
from pathlib import Path

import pytest

from doubles.loop import in_loop
from twinplane.clock import Clock
from twinplane.last_change import LastChanges
from twinplane.state.facts import Batch, DomainFact, Fact, LinkFact, LinkGone
from twinplane.state.operational import Operational
from twinplane.tree.query import get
from twinplane_wire.path import parse

FW1 = parse("/appliances/appliance[name=fw1]")
ETH = LinkFact("eth0", 2, "", 1500, "52:54:00:00:00:01", None, True, "UP", True, 1, None)
GUEST = DomainFact("vm", "u-1", FW1, "running", "booted", 1, 1, "", 77, 1)
PLACES = {
    "eth0": parse("/interfaces/interface[name=eth0]/state/last-change"),
    "fw1": parse("/appliances/appliance[name=fw1]/state/last-change"),
}


class Process:
    """One run of the agent: what it read at start, and what it then saw."""

    def __init__(self, file: Path, now: int, boot: str = "boot") -> None:
        self.now = now
        self.kept = LastChanges(file, boot, pause=0.0)
        self.tree = Operational(Clock(source=lambda: self.now), memory=self.kept)
        self.file = file

    def see(self, *facts: Fact, complete: bool = False) -> None:
        self.tree.apply(Batch("test", facts, complete))

    def start(self, *facts: Fact) -> None:
        self.tree.gather()
        self.see(*facts, complete=True)
        self.tree.settle()

    def since(self, name: str) -> object:
        return get(self.tree.root(), PLACES[name])

    async def die(self) -> None:
        """Killed some time after the last change: nothing is done on the way out."""
        task = asyncio.ensure_future(self.kept.serve())
        async with asyncio.timeout(20):
            while not self.file.exists() or len(json.loads(self.file.read_text())["records"]) < 2:
                await asyncio.sleep(0.005)
        self.kept._changed.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@in_loop
async def test_what_is_as_it_was_has_been_so_since_then(tmp_path: Path) -> None:
    first = Process(tmp_path / "kept", 100)
    first.start(ETH, GUEST)
    await first.die()
    second = Process(tmp_path / "kept", 5000)
    second.start(ETH, GUEST)
    assert 0 < int(str(second.since("eth0"))) < 200 and int(str(second.since("fw1"))) < 200
    second.see(LinkFact("eth0", 2, "", 1500, "52:54:00:00:00:01", None, True, "DOWN", False, 2, None))
    assert int(str(second.since("eth0"))) >= 5000


@pytest.mark.parametrize(
    ("link", "guest", "new"),
    [
        (LinkFact("eth0", 2, "", 1500, "", None, True, "DOWN", False, 2, None), GUEST, {"eth0"}),
        (LinkFact("eth0", 2, "", 1500, "", None, True, "UP", True, 3, None), GUEST, {"eth0"}),  # and back
        (LinkFact("eth0", 9, "", 1500, "", None, True, "UP", True, 1, None), GUEST, {"eth0"}),  # another
        (LinkFact("eth0", 2, "", 1400, "", None, True, "UP", True, 1, None), GUEST, set()),
        (ETH, DomainFact("vm", "u-1", FW1, "running", "booted", 1, 1, "", 99, 1), {"fw1"}),  # started again
        (ETH, DomainFact("vm", "u-1", FW1, "running", "booted", 1, 1, "", None, 1), set()),
        (ETH, DomainFact("vm", "u-1", FW1, "paused", "user", 1, 1, "", 77, 1), {"fw1"}),
        (ETH, DomainFact("vm", "u-2", FW1, "running", "booted", 1, 1, "", 77, 1), {"fw1"}),
    ],
)
@in_loop
async def test_what_changed_meanwhile_was_noticed_at_the_start(
    tmp_path: Path, link: LinkFact, guest: DomainFact, new: set[str]
) -> None:
    first = Process(tmp_path / "kept", 100)
    first.start(ETH, GUEST)
    await first.die()
    second = Process(tmp_path / "kept", 5000)
    second.start(link, guest)
    assert {name for name in PLACES if int(str(second.since(name))) >= 5000} == new


@pytest.mark.parametrize("text", ["", "{", "[]", '{"boot": "boot", "records": {"/a": 1}}', '{"records": {}}'])
@in_loop
async def test_a_file_that_says_nothing_and_another_boot(tmp_path: Path, text: str) -> None:
    first = Process(tmp_path / "kept", 100)
    first.start(ETH, GUEST)
    await first.die()
    other = Process(tmp_path / "kept", 5000, boot="another")
    other.start(ETH, GUEST)
    assert int(str(other.since("eth0"))) >= 5000
    (tmp_path / "kept").write_text(text)
    third = Process(tmp_path / "kept", 6000)
    third.start(ETH, GUEST)
    assert int(str(third.since("eth0"))) >= 6000


@in_loop
async def test_what_went_and_came_back_is_new(tmp_path: Path) -> None:
    first = Process(tmp_path / "kept", 100)
    first.start(ETH, GUEST)
    await first.die()
    second = Process(tmp_path / "kept", 5000)
    second.start(ETH, GUEST)
    second.see(LinkGone("eth0"))
    second.see(ETH)
    assert int(str(second.since("eth0"))) >= 5000


@in_loop
async def test_a_start_that_is_cut_off_loses_nothing_of_what_it_had_not_seen_yet(tmp_path: Path) -> None:
    first = Process(tmp_path / "kept", 100)
    first.start(ETH, GUEST)
    await first.die()
    second = Process(tmp_path / "kept", 5000)
    second.file.unlink()  # it was read
    second.kept.note(PLACES["eth0"], "UP", (2,), 5000)
    task = asyncio.ensure_future(second.kept.serve())
    async with asyncio.timeout(20):
        while not second.file.exists():
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    third = Process(tmp_path / "kept", 6000)
    third.start(ETH, GUEST)
    assert third.since("fw1") == first.since("fw1")


@in_loop
async def test_a_storm_of_changes_is_few_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = LastChanges(tmp_path / "kept", "boot", pause=0.05)
    writes: list[int] = []
    monkeypatch.setattr(kept, "_write", lambda records: writes.append(len(records)))
    task = asyncio.ensure_future(kept.serve())
    for number in range(20_000):
        kept.note(PLACES["eth0"], "UP" if number % 2 else "DOWN", (2, number), number)
        if number % 100 == 0:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 1 <= len(writes) < 200
