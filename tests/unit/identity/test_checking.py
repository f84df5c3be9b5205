"""Passwords are checked one after the other, each once; who guesses keeps nobody else waiting."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from doubles.loop import in_loop
from twinplane.errors import Fault, RequestError
from twinplane.identity import checking
from twinplane.identity.checking import REMEMBER_SECONDS, WAITING, Passwords

HERE, THERE = "ipv4:192.0.2.1", "ipv4:192.0.2.2"


class Hashing:
    """Takes as long as `free` is not set, and says yes to "right"."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.calls: list[str] = []
        self.most = 0
        self._at_once = 0

    def __call__(self, password: str, _stored: str) -> bool:
        self.calls.append(password)
        self._at_once += 1
        self.most = max(self.most, self._at_once)
        self.free.wait(20)
        self._at_once -= 1
        return password == "right"


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    double = Hashing()
    monkeypatch.setattr(checking, "matches", double)
    yield double
    double.free.set()


@in_loop
async def test_the_same_password_at_once_is_checked_once(hashing: Hashing) -> None:
    passwords = Passwords()
    hashing.free.set()
    asked = [passwords.right("ann", "right", "hash", HERE) for _ in range(100)]
    assert await asyncio.gather(*asked) == [True] * 100
    assert hashing.calls == ["right"]
    wrong = [passwords.right("ann", "wrong", "hash", HERE) for _ in range(100)]
    assert await asyncio.gather(*wrong) == [False] * 100
    assert hashing.calls == ["right", "wrong"]
    assert not await passwords.right("ann", "wrong", "hash", HERE), "failures are not remembered"
    assert len(hashing.calls) == 3


@in_loop
async def test_who_guesses_does_not_keep_others_waiting(hashing: Hashing) -> None:
    time = 0.0
    passwords = Passwords(lambda: time)
    guesses = [
        asyncio.ensure_future(passwords.right("ann", f"guess {n}", "hash", HERE)) for n in range(WAITING + 5)
    ]
    others = [asyncio.ensure_future(passwords.right(name, "right", "hash", THERE)) for name in "abc"]
    await asyncio.sleep(0)
    hashing.free.set()
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert answers[:WAITING] == [False] * WAITING
    refused = answers[WAITING:]
    for one in refused:
        assert isinstance(one, RequestError)
        assert [violation.fault for violation in one.violations] == [Fault.TOO_LARGE]
        assert HERE in str(one)
    assert await asyncio.gather(*others) == [True] * 3
    assert hashing.most == 1
    with pytest.raises(RequestError, match="try again in"):
        await passwords.right("ann", "right", "hash", HERE)
    time += 60
    assert await passwords.right("ann", "right", "hash", HERE), "and then it is their turn again"


@in_loop
async def test_one_who_gives_up_does_not_end_the_check_of_another(hashing: Hashing) -> None:
    passwords = Passwords()
    first, second = [asyncio.ensure_future(passwords.right("ann", "right", "hash", HERE)) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    hashing.free.set()
    assert await second
    assert hashing.calls == ["right"]


@in_loop
async def test_what_is_used_goes_on_being_remembered(hashing: Hashing) -> None:
    time = 0.0
    passwords = Passwords(lambda: time)
    hashing.free.set()
    for _ in range(5):
        assert await passwords.right("ann", "right", "hash", HERE)
        time += REMEMBER_SECONDS * 0.9
    assert len(hashing.calls) == 1
    time += REMEMBER_SECONDS * 0.2
    assert await passwords.right("ann", "right", "hash", HERE)
    assert len(hashing.calls) == 2
    assert await passwords.right("ann", "right", "another hash", HERE)
    assert len(hashing.calls) == 3, "another hash is another password"


@in_loop
async def test_more_users_than_a_few_hundred_are_remembered(hashing: Hashing) -> None:
    passwords, users = Passwords(), [f"user{n}" for n in range(600)]
    hashing.free.set()
    for _ in range(3):
        for name in users:
            assert await passwords.right(name, "right", f"hash of {name}", HERE)
    assert len(hashing.calls) == len(users)
