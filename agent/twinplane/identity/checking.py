"""Passwords checked in a thread: one after the other, each once, with successes remembered for a while.

Who guesses must not take all cores, nor keep others waiting: whose turn it is follows from who failed lately
(`guesses.py`), of one address only a few may wait, and of all a bounded number: the worst gives way.
"""

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.guesses import LONGEST, Guesses, Rank
from twinplane.identity.password import matches
from twinplane_wire.path import ROOT

REMEMBER_SECONDS = 900.0
REMEMBER_ENTRIES = 4096  # one for each user and what they log in with: else they are checked each time
WAITING = 8  # different passwords of one address
WAITING_IN_ALL = 64


@dataclass(eq=False, slots=True)
class _Check:
    """One password that waits, or is being checked. `address` is the best of those that ask."""

    ticket: bytes
    name: str
    password: str
    stored: str
    address: str
    done: asyncio.Future[bool]


class Passwords:
    """What was right lately, and what is being checked. Event loop only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` is in seconds."""
        self._now = now
        self._salt = os.urandom(32)
        self._remembered: dict[bytes, float] = {}
        self._under_way: dict[bytes, _Check] = {}
        self._waiting: list[_Check] = []
        self._worker: asyncio.Task[None] | None = None
        self.guesses = Guesses(now)

    async def right(self, name: str, password: str, stored: str, address: str) -> bool:
        """Whether a password is the one of a stored hash. A right one that is used goes on being remembered.

        Raises:
            RequestError: TOO_LARGE, this user failed too often from there and has to pause, or too many
            others wait whose turn is sooner.
        """
        ticket = hmac.digest(self._salt, f"{name}\0{stored}\0{password}".encode(), hashlib.sha256)
        if self._remembered.get(ticket, 0.0) > self._now():
            self._remember(ticket)
            return True
        check = self._under_way.get(ticket)
        if check is None:
            check = self._enqueue(ticket, name, password, stored, address)
        elif self.guesses.rank(name, address) < self.guesses.rank(name, check.address):
            check.address = address
        return await asyncio.shield(check.done)

    def _enqueue(self, ticket: bytes, name: str, password: str, stored: str, address: str) -> _Check:
        pause = self.guesses.pause(name, address)
        if pause > 0:
            text = f"too many wrong passwords of user {name[:LONGEST]!r} from {address}"
            raise _busy(text, f"try again in {pause:.0f} s")
        if sum(check.address == address for check in self._under_way.values()) >= WAITING:
            raise _busy(f"too many passwords from {address} wait to be checked", "try again later")
        if len(self._waiting) >= WAITING_IN_ALL:
            worst = max(self._waiting, key=self._rank)
            if self.guesses.rank(name, address) >= self._rank(worst):
                raise _busy("too many passwords wait to be checked", "try again later")
            self._waiting.remove(worst)
            del self._under_way[worst.ticket]
            worst.done.set_exception(_busy("too many passwords wait to be checked", "try again later"))
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_heard)
        check = _Check(ticket, name, password, stored, address, done)
        self._under_way[ticket] = check
        self._waiting.append(check)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())
        return check

    async def _work(self) -> None:
        while self._waiting:
            check = min(self._waiting, key=self._rank)
            self._waiting.remove(check)
            try:
                right = await asyncio.to_thread(matches, check.password, check.stored)
            except BaseException as error:
                check.done.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                if right:
                    self._remember(check.ticket)
                    self.guesses.right(check.name, check.address)
                else:
                    self.guesses.wrong(check.name, check.address)
                check.done.set_result(right)
            finally:
                del self._under_way[check.ticket]

    def _rank(self, check: _Check) -> Rank:
        return self.guesses.rank(check.name, check.address)

    def _remember(self, ticket: bytes) -> None:
        now = self._now()
        if len(self._remembered) >= REMEMBER_ENTRIES:
            self._remembered = {key: until for key, until in self._remembered.items() if until > now}
        if ticket in self._remembered or len(self._remembered) < REMEMBER_ENTRIES:
            self._remembered[ticket] = now + REMEMBER_SECONDS


def _heard(done: asyncio.Future[bool]) -> None:
    """Whoever asked may have given up: an exception then is nobody's."""
    if not done.cancelled():
        done.exception()


def _busy(text: str, remedy: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.TOO_LARGE, text, remedy))
