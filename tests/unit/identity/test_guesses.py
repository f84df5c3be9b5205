"""Somebody guesses from many addresses: who knows a password gets in all the same, and it is reported."""

import asyncio
import threading
import tracemalloc

import pytest

from doubles.loop import in_loop
from twinplane.errors import Fault, RequestError
from twinplane.guessing import report
from twinplane.identity import checking
from twinplane.identity.checking import WAITING_IN_ALL, Passwords
from twinplane.identity.directory import Directory
from twinplane.identity.guesses import FREE, HALF_LIFE, LONGEST_PAUSE, MOST, Guesses
from twinplane.identity.role import Role
from twinplane.identity.user import set_user
from twinplane.state.raised import Raised

ADDRESSES = [f"ipv4:198.51.100.{n}" for n in range(60)]
HOME, ELSEWHERE = "ipv4:192.0.2.1", "ipv4:192.0.2.2"


MANY = WAITING_IN_ALL + 1  # one of them is under way


class OneByOne:
    """Says yes to "right"; each check ends when the test lets it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._turn = threading.Semaphore(0)

    def __call__(self, password: str, _stored: str) -> bool:
        self.calls.append(password)
        assert self._turn.acquire(timeout=60)
        return password == "right"

    def let(self, count: int = 1) -> None:
        self._turn.release(count)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> OneByOne:
    double = OneByOne()
    monkeypatch.setattr(checking, "matches", double)
    return double


async def guess(passwords: Passwords, name: str, round_: int) -> list[asyncio.Task[bool]]:
    tasks = [
        asyncio.ensure_future(passwords.right(name, f"{round_} {address}", "hash", address))
        for address in ADDRESSES
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


@in_loop
async def test_a_right_password_is_next_while_sixty_addresses_guess(hashing: OneByOne) -> None:
    passwords = Passwords(lambda: 0.0)
    hashing.let()
    assert await passwords.right("ann", "right", "hash", HOME)
    for name in ("ann", "bob"):
        guesses = await guess(passwords, name, 1)
        before = len(hashing.calls)
        # From where she came in before, with a password that is not remembered.
        known = asyncio.ensure_future(passwords.right("ann", "right", f"hash of {name}", HOME))
        await asyncio.sleep(0)
        hashing.let(2)
        assert await known
        assert "right" in hashing.calls[before : before + 2], "the one under way, then hers"
        hashing.let(len(ADDRESSES) - 1)
        await asyncio.gather(*guesses, return_exceptions=True)
    # Now that those have failed, a stranger to this agent goes before all of them, of the guessed name too.
    guesses = await guess(passwords, "ann", 2)
    before = len(hashing.calls)
    new = asyncio.ensure_future(passwords.right("ann", "right", "another hash", ELSEWHERE))
    await asyncio.sleep(0)
    hashing.let(2)
    assert await new
    assert "right" in hashing.calls[before : before + 2]
    hashing.let(len(ADDRESSES) - 1)
    await asyncio.gather(*guesses, return_exceptions=True)


@in_loop
async def test_few_wait_and_the_worst_gives_way(hashing: OneByOne) -> None:
    passwords = Passwords(lambda: 0.0)
    many = [
        asyncio.ensure_future(passwords.right("ann", f"{n}", "hash", f"ipv6:{n}"))
        for n in range(WAITING_IN_ALL)
    ]
    passwords.guesses.wrong("ann", "ipv6:7")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    more = asyncio.ensure_future(passwords.right("bob", "right", "hash", HOME))
    again = asyncio.ensure_future(passwords.right("bob", "right", "hash 2", HOME))
    await asyncio.sleep(0)
    hashing.let(len(many) + 2)
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert await more
    assert await again
    refused = [one for one in answers if isinstance(one, RequestError)]
    assert [one.violations[0].fault for one in refused] == [Fault.TOO_LARGE]
    assert isinstance(answers[7], RequestError)


def test_a_pair_that_fails_pauses_and_others_do_not() -> None:
    time = 100.0
    guesses = Guesses(lambda: time)
    for _ in range(FREE):
        assert guesses.pause("ann", HOME) == 0
        guesses.wrong("ann", HOME)
    assert guesses.pause("ann", HOME) == 1
    assert guesses.pause("ann", ELSEWHERE) == guesses.pause("bob", HOME) == 0
    for _ in range(100):
        guesses.wrong("ann", HOME)
    assert guesses.pause("ann", HOME) == LONGEST_PAUSE
    time += LONGEST_PAUSE
    assert guesses.pause("ann", HOME) == 0, "nobody is locked out for good"
    guesses.right("ann", HOME)
    assert guesses.rank("ann", HOME) < guesses.rank("ann", ELSEWHERE)
    for n in range(100_000):
        guesses.wrong(f"user {n}", f"ipv6:{n}")
    assert guesses.rank("ann", HOME)[0] is False


@in_loop
async def test_guessing_is_an_alarm_until_it_is_over(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("users") / "users.toml"
    set_user(path, "ann", Role.ADMIN, "right")
    users, time, seen = Directory(path), 0.0, []
    users.guesses = Guesses(lambda: time)
    raised = Raised(lambda facts: seen.extend(facts))
    report(users, raised)
    users.guesses.wrong("ann", HOME)
    report(users, raised)
    assert seen == []
    for address in ADDRESSES:
        users.guesses.wrong("ann", address)
    report(users, raised)
    assert [(one.kind, one.cleared) for one in seen] == [("GUESSING", False)]
    assert "60 wrong passwords, for ann, from" in seen[0].text
    time += 3 * HALF_LIFE
    report(users, raised)
    assert len(seen) == 1
    time += 5 * HALF_LIFE
    report(users, raised)
    assert [one.cleared for one in seen] == [False, True]


def test_one_who_has_a_whole_network_of_addresses_is_one() -> None:
    guesses = Guesses(lambda: 0.0)
    theirs = [f"ipv6:%5B2001:db8::{n:x}%5D" for n in range(1, 40)]
    for address in theirs:
        guesses.wrong("ann", address)
    new, neighbour = "ipv6:%5B2001:db8::ffff%5D", "ipv6:%5B2001:db8:0:1::1%5D"
    assert guesses.rank("ann", neighbour) < guesses.rank("ann", new)
    assert guesses.pause("ann", new) == 0, "who shares the network does not pause for them"
    assert "from ipv6:2001:db8::/64 (39);" in (guesses.summary({"ann"}) or "")
    for _ in range(9):
        guesses.wrong("bob", "ipv6:%5Bfe80::1%25eth0%5D")
    assert guesses.rank("bob", "ipv6:%5Bfe80::2%25eth0%5D") < guesses.rank("bob", "ipv6:%5Bfe80::1%25eth0%5D")
    for odd in ("ipv6:x", "ipv6:", "unix", ""):
        guesses.wrong("bob", odd)
        assert guesses.rank("bob", odd)[1] == 1


def test_a_million_names_and_addresses_take_little_memory() -> None:
    time = 0.0
    guesses = Guesses(lambda: time)
    tracemalloc.start()
    try:
        for n in range(3 * MOST):
            guesses.wrong(f"{n}{'x' * 12_000}", f"ipv6:%5B2001:db8:{n >> 8:x}:{n & 255:x}::1%5D")
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 20 << 20
    name = f"{3 * MOST - 1}{'x' * 12_000}"
    for _ in range(FREE):
        guesses.wrong(name, HOME)
    assert guesses.pause(name, HOME) > 0


def test_a_name_that_is_nobody_s_is_not_repeated() -> None:
    guesses = Guesses(lambda: 0.0)
    for _ in range(30):
        guesses.wrong("hunter2", HOME)
    assert "for no user here, from" in (guesses.summary({"ann"}) or "")
    guesses.wrong("ann", HOME)
    text = guesses.summary({"ann"}) or ""
    assert "for ann and others, from" in text
    assert "hunter2" not in text
