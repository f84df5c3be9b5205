"""Wrong passwords lately: whose turn comes first, who has to wait, and whether somebody is guessing.

Counts halve each minute. Nobody is locked out: a pair of user and address that fails has to pause, others of
that user do not; where a user came in before, they go first. Whose turn it is counts an IPv6 address as its
/64, which a single host may have all of (RFC 6177); the pause does not: nobody pauses for a neighbour.
"""

import functools
import math
from collections import Counter
from collections.abc import Callable, Container, Hashable
from ipaddress import IPv6Address, IPv6Network
from urllib.parse import unquote

HALF_LIFE = 60.0  # seconds
FREE = 5  # wrong passwords of one user from one address without a pause
LONGEST_PAUSE = 60.0  # seconds
MOST = 4096  # users, addresses and pairs that are counted
KNOWN = 1024  # pairs that came in before
LONGEST = 64  # characters of a name that are looked at; no user has more
SUSPICIOUS, QUIET = 20.0, 2.0  # wrong passwords: from here on it is reported, and here it is over

Rank = tuple[bool, int, int]


class _Decaying:
    """Counts that halve, of the keys that came up last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[Hashable, tuple[float, float]] = {}

    def add(self, key: Hashable) -> None:
        count = self.get(key) + 1
        self._held.pop(key, None)
        if len(self._held) >= MOST:
            del self._held[next(iter(self._held))]
        self._held[key] = count, self._now()

    def get(self, key: Hashable) -> float:
        count, since = self._held.get(key, (0.0, 0.0))
        return count * math.pow(0.5, (self._now() - since) / HALF_LIFE)

    def last(self, key: Hashable) -> float:
        return self._held.get(key, (0.0, 0.0))[1]

    def drop(self, key: Hashable) -> None:
        self._held.pop(key, None)


class Guesses:
    """Event loop only. `now` is in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._pairs, self._names, self._addresses = _Decaying(now), _Decaying(now), _Decaying(now)
        self._all = _Decaying(now)
        self._known: dict[tuple[str, str], None] = {}
        self._from: Counter[str] = Counter()
        self._of: Counter[str] = Counter()

    def wrong(self, name: str, address: str) -> None:
        """A password was wrong."""
        name, place = name[:LONGEST], _place(address)
        for counts, key in ((self._pairs, (name, address)), (self._names, name), (self._addresses, place)):
            counts.add(key)
        self._all.add("")
        for counter, one in ((self._from, place), (self._of, name)):
            if one in counter or len(counter) < MOST:
                counter[one] += 1

    def right(self, name: str, address: str) -> None:
        """A password was right: this user comes from there."""
        self._pairs.drop((name, address))
        self._known.pop((name, address), None)
        if len(self._known) >= KNOWN:
            del self._known[next(iter(self._known))]
        self._known[name, address] = None

    def rank(self, name: str, address: str) -> Rank:
        """Whose turn comes first: the smallest. First who came in from there before and does not fail now,
        then by how often the address has failed lately, then by how often the name has."""
        name = name[:LONGEST]
        known = (name, address) in self._known and self._pairs.get((name, address)) < FREE
        return not known, round(self._addresses.get(_place(address))), round(self._names.get(name))

    def pause(self, name: str, address: str) -> float:
        """The seconds that this user has to wait at this address."""
        name = name[:LONGEST]
        excess = self._pairs.get((name, address)) - FREE
        if excess < 0:
            return 0.0
        until = self._pairs.last((name, address)) + min(LONGEST_PAUSE, math.pow(2.0, min(excess, 10.0)))
        return max(0.0, until - self._now())

    def summary(self, users: Container[str]) -> str | None:
        """What to report of guessing: a text, nothing (leave what was reported), or "" when it is over. Names
        that are not those of users are not repeated: passwords get typed there, too."""
        rate = self._all.get("")
        if rate < QUIET:
            self._from.clear()
            self._of.clear()
            return ""
        if rate < SUSPICIOUS:
            return None
        guessed = [name for name, _ in self._of.most_common() if name in users]
        names = ", ".join(guessed[:3]) or "no user here"
        others = " and others" if guessed and len(self._of) > len(guessed[:3]) else ""
        places = ", ".join(f"{place or 'a socket'} ({count})" for place, count in self._from.most_common(5))
        more = f" and {len(self._from) - 5} others" if len(self._from) > 5 else ""
        return (
            f"{self._from.total()} wrong passwords, for {names}{others}, "
            f"from {places}{more}; keep these addresses out where they are not yours"
        )


@functools.lru_cache(maxsize=1024)
def _place(address: str) -> str:
    """Where an address of gRPC (``ipv6:%5B2001:db8::1%5D``) counts; one of a link counts as itself."""
    if not address.startswith("ipv6:"):
        return address
    try:
        found = IPv6Address(unquote(address.removeprefix("ipv6:")).strip("[]"))
    except ValueError:
        return address
    if found.is_link_local or found.is_loopback:
        return f"ipv6:{found}"
    return f"ipv6:{IPv6Network((found.packed, 64), strict=False)}"
