"""Passwords checked in a thread: one after the other, each once, with successes remembered for a minute.

Who guesses must not take all cores, nor keep others waiting: of one address only a few may wait for a check.
"""

import asyncio
import hashlib
import hmac
import os
import time
from collections import Counter
from collections.abc import Callable

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.password import matches
from twinplane_wire.path import ROOT

REMEMBER_SECONDS = 60.0
REMEMBER_ENTRIES = 256
WAITING = 8  # different passwords of one address


class Passwords:
    """What was right lately, and what is being checked. Event loop only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """`now` is in seconds."""
        self._now = now
        self._salt = os.urandom(32)
        self._remembered: dict[bytes, float] = {}
        self._turn = asyncio.Semaphore(1)
        self._under_way: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting: Counter[str] = Counter()

    async def right(self, name: str, password: str, stored: str, address: str) -> bool:
        """Whether a password is the one of a stored hash. A right one that is used goes on being remembered.

        Raises:
            RequestError: TOO_LARGE, too many others of this address wait.
        """
        ticket = hmac.digest(self._salt, f"{name}\0{stored}\0{password}".encode(), hashlib.sha256)
        if self._remembered.get(ticket, 0.0) > self._now():
            self._remember(ticket)
            return True
        checking = self._under_way.get(ticket)
        if checking is None:
            if self._waiting[address] >= WAITING:
                text = f"too many passwords from {address} wait to be checked"
                raise RequestError(Violation(ROOT, Fault.TOO_LARGE, text, "try again later"))
            checking = asyncio.ensure_future(self._check(ticket, password, stored, address))
            self._under_way[ticket] = checking
            self._waiting[address] += 1
        return await asyncio.shield(checking)

    async def _check(self, ticket: bytes, password: str, stored: str, address: str) -> bool:
        try:
            async with self._turn:
                right = await asyncio.to_thread(matches, password, stored)
            if right:
                self._remember(ticket)
            return right
        finally:
            del self._under_way[ticket]
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

    def _remember(self, ticket: bytes) -> None:
        now = self._now()
        if len(self._remembered) >= REMEMBER_ENTRIES:
            self._remembered = {key: until for key, until in self._remembered.items() if until > now}
        if ticket in self._remembered or len(self._remembered) < REMEMBER_ENTRIES:
            self._remembered[ticket] = now + REMEMBER_SECONDS
