"""CPU shares: what limit and guarantee are to the kernel's scheduler, and who gets the rest.

CPU is counted in millicores: 1000 are one core.
"""

from collections.abc import Sequence
from typing import NamedTuple

NO_QUOTA = -1
SHORT_PERIOD = 10_000
LONG_PERIOD = 100_000
LEAST_SHARES = 2  # the least that cpu.shares takes (kernel/sched/sched.h: MIN_SHARES)
MOST_SHARES = 1 << 18  # and the most (MAX_SHARES)
CORE_SHARES = 1024  # what a task of the host weighs, and a group that nobody has set
MOST_WEIGHT = 10_000  # the most that cpu.weight of the unified hierarchy takes (admin-guide/cgroup-v2)


class Quota(NamedTuple):
    """CPU time in µs per period in µs; `quota` -1 means no limit."""

    quota: int
    period: int


class Claim(NamedTuple):
    """Somebody who wants CPU: a weight, and the most he can use."""

    weight: int
    cap: float


def quota(limit: int | None) -> Quota:
    """The bandwidth of a limit in millicores (None: no limit).

    A period of 10 ms keeps pauses short; below 100 millicores the quota of such a period would fall under
    1 ms, the least that libvirt and the kernel take (sched-bwc.rst), so the period is 100 ms.
    """
    if limit is None:
        return Quota(NO_QUOTA, LONG_PERIOD)
    period = SHORT_PERIOD if limit >= 100 else LONG_PERIOD
    return Quota(limit * period // 1000, period)


def core_shares(cpus: int, *, unified: bool) -> int:
    """What one guaranteed core weighs on a host: 1024 as for the kernel, less where a guarantee of all its
    processors could not be written. libvirt hands cpu_shares on as they are, in the unified hierarchy too."""
    return min(CORE_SHARES, (MOST_WEIGHT if unified else MOST_SHARES) // cpus)


def shares(guarantee: int | None, core: int = CORE_SHARES) -> int:
    """cpu_shares for a guarantee in millicores, where a core weighs `core`; no guarantee is the least.

    Absolute, not relative to what others have: a changed guarantee touches one appliance only.
    """
    return max(LEAST_SHARES, round((guarantee or 0) * core / 1000))


def guaranteed(weight: int, core: int = CORE_SHARES) -> int | None:
    """The guarantee in millicores that `shares` gave this weight for; None where there is none."""
    return round(weight * 1000 / core) if weight > LEAST_SHARES else None


def group_shares(total: int, reserve: int) -> int:
    """cpu_shares of the group that holds all appliances, from what the host has and what it keeps for itself
    in millicores: as much more than a task of the host as leaves that task the reserve."""
    if reserve <= 0:
        return MOST_SHARES
    return min(max(CORE_SHARES * (total - reserve) // reserve, CORE_SHARES), MOST_SHARES)


def fill(capacity: float, claims: Sequence[Claim]) -> tuple[float, ...]:
    """What each claim gets when `capacity` is shared by weight and what one cannot use goes to the others.

    Water-filling: the level rises until the capacity is used up or every claim has its cap.
    """
    got = [0.0] * len(claims)
    open_claims = [index for index, claim in enumerate(claims) if claim.weight > 0 and claim.cap > 0]
    left = max(capacity, 0.0)
    while open_claims and left > 0:
        total = sum(claims[index].weight for index in open_claims)
        level = left / total
        full = [index for index in open_claims if claims[index].cap <= claims[index].weight * level]
        if not full:
            for index in open_claims:
                got[index] = claims[index].weight * level
            break
        for index in full:
            got[index] = claims[index].cap
            left -= claims[index].cap
        open_claims = [index for index in open_claims if index not in full]
    return tuple(got)
