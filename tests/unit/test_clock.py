"""Time never goes back, goes on at the pace of the monotonic clock, and meets the wall clock again."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane import last_time
from twinplane.clock import SLEW, Clock
from twinplane.clock_watch import report
from twinplane.errors import StartError
from twinplane.state.raised import Raised

SECOND = 1_000_000_000
YEAR = 365 * 86400 * SECOND
NOW = 1_785_000_000 * SECOND


class Host:
    """A wall clock that is set as the test likes, and a monotonic one."""

    def __init__(self) -> None:
        self.wall, self.monotonic = NOW, 5 * SECOND

    def passes(self, time: int) -> None:
        self.wall += time
        self.monotonic += time

    def clock(self, last: int = 0, **more: object) -> Clock:
        return Clock(last, lambda: self.wall, lambda: self.monotonic, **more)  # type: ignore[arg-type]


STEPS = st.lists(
    st.tuples(st.integers(0, 10**15), st.one_of(st.just(0), st.integers(-(10**18), 10**18))), max_size=30
)


@given(STEPS, st.integers(0, 2 * NOW))
def test_time_goes_on_whatever_the_wall_clock_does(steps: list[tuple[int, int]], stored: int) -> None:
    host = Host()
    clock = host.clock()
    clock.not_before(stored)
    before = clock.now_ns()
    for passed, step in steps:
        host.passes(passed)
        host.wall += step
        now = clock.now_ns()
        assert now > before
        assert now >= host.wall
        assert now - before >= passed - passed // SLEW, "it does not stand still"
        if now > host.wall:
            assert now - before <= max(1, passed), "nor goes faster than what passes"
        before = now


@given(st.integers(1, 10**13), st.lists(st.integers(0, 10**12), max_size=20))
def test_both_meet_again(back: int, pauses: list[int]) -> None:
    host = Host()
    clock = host.clock()
    clock.now_ns()
    host.wall -= back
    for pause in pauses:
        host.passes(pause)
        clock.now_ns()
    assert clock.ahead <= back + len(pauses) + 1
    host.passes((back + 100) * SLEW)
    assert clock.now_ns() == host.wall
    assert clock.ahead == 0


def test_the_alarm_says_by_how_much_until_both_meet() -> None:
    host, seen = Host(), []
    clock, raised = host.clock(), Raised(lambda facts: seen.extend(facts))
    clock.now_ns()
    report(clock, raised)
    host.wall -= SECOND // 2
    report(clock, raised)
    assert seen == []
    host.wall -= 7200 * SECOND
    report(clock, raised)
    assert [(one.kind, one.cleared) for one in seen] == [("CLOCK", False)]
    assert "2:00:00" in seen[0].text
    assert "clock accept" in seen[0].text
    host.wall += 7201 * SECOND
    clock.now_ns()
    report(clock, raised)
    assert [one.cleared for one in seen] == [False, True]


def test_an_accepted_clock_ends_what_a_wrong_one_left(tmp_path: Path) -> None:
    host, wrong = Host(), NOW + 43 * YEAR
    last_time.write(tmp_path, wrong + 500 * SECOND)
    with pytest.raises(StartError, match="not behind"):
        last_time.accept(tmp_path, wrong + 900 * SECOND, stored=wrong)
    last_time.accept(tmp_path, NOW, stored=wrong)
    host.passes(60 * SECOND)
    clock = last_time.resumed(tmp_path, lambda: host.wall, lambda: host.monotonic)
    clock.not_before(wrong)
    assert clock.now_ns() == host.wall
    # From then on time does not go back again, over restarts too.
    last_time.write(tmp_path, clock.last)
    later, host.wall = clock.last, NOW - 7200 * SECOND
    clock = last_time.resumed(tmp_path, lambda: host.wall, lambda: host.monotonic)
    clock.not_before(wrong)
    assert clock.now_ns() > later


def test_an_acceptance_ends_when_the_time_comes_that_it_was_about(tmp_path: Path) -> None:
    host, wrong = Host(), NOW + 2 * YEAR
    last_time.write(tmp_path, wrong)
    last_time.accept(tmp_path, NOW, stored=0)
    assert last_time.seen(tmp_path, lambda: host.wall) == NOW
    host.passes(3 * YEAR)
    clock = last_time.resumed(tmp_path, lambda: host.wall, lambda: host.monotonic)
    last_time.write(tmp_path, clock.now_ns())
    later, host.wall = clock.last, NOW
    assert last_time.seen(tmp_path, lambda: host.wall) == later
    assert last_time.resumed(tmp_path, lambda: host.wall, lambda: host.monotonic).now_ns() > later


@pytest.mark.parametrize(
    "content", [b"", b"x", b"-5", b"\xff\xfe", b"9" * 19, b"9" * 5000, b"1e18", "١٢".encode(), b"0"]
)
def test_a_damaged_hint_is_no_time(tmp_path: Path, content: bytes) -> None:
    for name in (last_time.FILE, last_time.ACCEPTED):
        (tmp_path / name).write_bytes(content)
    host = Host()
    assert last_time.read(tmp_path) == last_time.seen(tmp_path) == 0
    clock = last_time.resumed(tmp_path, lambda: host.wall, lambda: host.monotonic)
    assert clock.now_ns() == host.wall
    (tmp_path / last_time.FILE).unlink()
    (tmp_path / last_time.FILE).mkdir()
    assert last_time.read(tmp_path) == 0
    assert last_time.moment(last_time.LATEST).year < 2262
