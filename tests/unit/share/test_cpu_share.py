"""CPU shares: quotas and weights as libvirt takes them, and water-filling with caps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane.share.cpu import Claim, Quota, core_shares, fill, group_shares, guaranteed, quota, shares


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        (500, Quota(5_000, 10_000)),
        (250, Quota(2_500, 10_000)),
        (100, Quota(1_000, 10_000)),
        (99, Quota(9_900, 100_000)),
        (50, Quota(5_000, 100_000)),
        (4_000, Quota(40_000, 10_000)),
        (None, Quota(-1, 100_000)),
    ],
)
def test_limits(limit: int | None, wanted: Quota) -> None:
    assert quota(limit) == wanted


@pytest.mark.parametrize(
    ("reserve", "wanted"), [(0, 262_144), (1, 262_144), (100, 19 * 1024), (500, 3 * 1024), (1_999, 1024)]
)
def test_what_all_appliances_weigh_leaves_the_host_its_reserve(reserve: int, wanted: int) -> None:
    assert group_shares(2_000, reserve) == wanted


@given(st.integers(50, 1_000_000))
def test_a_quota_is_the_limit_and_never_under_a_millisecond(limit: int) -> None:
    value = quota(limit)
    assert value.quota >= 1_000
    assert value.quota * 1000 == limit * value.period


@pytest.mark.parametrize(("guarantee", "wanted"), [(250, 256), (1000, 1024), (1, 2), (0, 2), (None, 2)])
def test_guarantees(guarantee: int | None, wanted: int) -> None:
    assert shares(guarantee) == wanted


@pytest.mark.parametrize(
    ("cpus", "unified", "wanted"),
    [(2, False, 1024), (512, False, 512), (2, True, 1024), (9, True, 1024), (64, True, 156), (512, True, 19)],
)
def test_a_guarantee_of_all_processors_can_be_written(cpus: int, unified: bool, wanted: int) -> None:
    core = core_shares(cpus, unified=unified)
    assert core == wanted
    assert shares(cpus * 1000, core) <= (10_000 if unified else 262_144)


@given(st.integers(50, 64_000), st.sampled_from([1024, 156]))
def test_a_guarantee_is_read_back_as_near_as_weights_are_to_each_other(guarantee: int, core: int) -> None:
    back = guaranteed(shares(guarantee, core), core)
    assert back is not None
    assert abs(back - guarantee) * core <= 1000
    assert guaranteed(shares(None, core), core) is None


def test_water_filling_gives_what_one_cannot_use_to_the_others() -> None:
    assert fill(2.0, [Claim(4, 1.0), Claim(2, 1.0), Claim(1, 1.0), Claim(1, 1.0)]) == (1.0, 0.5, 0.25, 0.25)
    assert fill(4.0, [Claim(1, 1.0), Claim(1, 9.0)]) == (1.0, 3.0)
    assert fill(1.0, []) == ()
    assert fill(1.0, [Claim(0, 1.0), Claim(1, 1.0)]) == (0.0, 1.0)


claims = st.lists(st.builds(Claim, st.integers(0, 10_000), st.floats(0, 64)), max_size=8)


@given(st.floats(0, 128), claims)
def test_nothing_is_wasted_and_no_cap_is_exceeded(capacity: float, wanted: list[Claim]) -> None:
    got = fill(capacity, wanted)
    assert all(0 <= part <= claim.cap + 1e-9 for part, claim in zip(got, wanted, strict=True))
    usable = sum(claim.cap for claim in wanted if claim.weight)
    assert sum(got) == pytest.approx(min(capacity, usable), abs=1e-6)
