"""When a copy of the database is due, which are kept, and that a failure is an alarm."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from doubles.loop import in_loop
from doubles.texts import Texts, change, commit
from twinplane.copies import HOUR, Copies
from twinplane.errors import StartError
from twinplane.settings import Copies as Schedule
from twinplane.settings import load
from twinplane.state.facts import AlarmFact, Fact
from twinplane.state.raised import Raised
from twinplane.transaction import copy
from twinplane.transaction.datastore import Datastore


class Clock:
    """The clock that names copies, which may be set, and the one that runs evenly."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.set_by = 0.0, 0
        monkeypatch.setattr(copy.time, "time", lambda: 1_800_000_000.0 + self.now + self.set_by)

    def __call__(self) -> float:
        return self.now


async def grown(folder: Path, *numbers: int) -> None:
    store = Datastore(folder / "twinplane.db", Texts())
    await store.open()
    for number in numbers:
        row = change(f"/a/row[name=r{number}]", None, {"name": f"r{number}"})
        await store.commit(commit(number), [row], None, "")
    await store.close()


@in_loop
async def test_a_copy_is_due_after_its_hours_and_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, revision = Clock(monkeypatch), 0
    copies = Copies(
        tmp_path / "twinplane.db", Schedule(hours=2, kept=2), lambda: revision, Raised(list), clock
    )

    def written() -> list[int]:
        return [one.revision for one in copy.listed(tmp_path / "copies")]

    await grown(tmp_path)
    await copies.look()
    assert written() == [], "nothing was configured yet"
    await grown(tmp_path, 1)
    revision = 1
    await copies.look()
    assert written() == [1]
    await grown(tmp_path, 2)
    revision = 2
    clock.now += 2 * HOUR - 1
    await copies.look()
    assert written() == [1], "not yet"
    clock.now += 2
    await copies.look()
    assert written() == [2, 1]
    clock.now += 5 * HOUR
    await copies.look()
    assert written() == [2, 1], "nothing was committed since"
    await grown(tmp_path, 3)
    revision = 3
    await copies.look()
    assert written() == [3, 2], "the oldest went"
    await grown(tmp_path, 4)
    revision = 4
    clock.set_by -= 100 * HOUR
    await copies.look()
    assert written() == [3, 2], "not yet, whatever the clock says"
    clock.now += 2 * HOUR
    await copies.look()
    assert written() == [4, 3], "nor is it the oldest that way"
    restarted = Copies(tmp_path / "twinplane.db", Schedule(hours=2, kept=2), lambda: 5, Raised(list), clock)
    await grown(tmp_path, 5)
    await restarted.look()
    assert written() == [5, 4]


@in_loop
async def test_a_copy_that_cannot_be_written_is_an_alarm_until_one_can(tmp_path: Path) -> None:
    alarms: list[AlarmFact] = []

    def observed(facts: Sequence[Fact]) -> None:
        alarms.extend(fact for fact in facts if isinstance(fact, AlarmFact))

    await grown(tmp_path, 1)
    copies = Copies(tmp_path / "twinplane.db", Schedule(), lambda: 1, Raised(observed))
    (tmp_path / "copies").write_text("in the way")
    await copies.look()
    await copies.look()
    (alarm,) = alarms
    assert (alarm.kind, alarm.cleared) == ("COPY_FAILED", False)
    (tmp_path / "copies").unlink()
    await copies.look()
    assert [one.cleared for one in alarms] == [False, True]


@pytest.mark.parametrize("name", ["HOURS", "KEPT"])
def test_a_schedule_without_copies_is_refused(name: str) -> None:
    with pytest.raises(StartError, match=f"copies.{name.lower()} must be 1 to"):
        load(None, {f"TWINPLANE_COPIES_{name}": "0"})
