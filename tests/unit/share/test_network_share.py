"""Rates and bursts: rounding to what the kernel keeps, and bursts that let the rate be reached."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.share.network import (
    MOST_BURST,
    MOST_TICKS,
    burst_ticks,
    default_burst,
    kernel_burst,
    kernel_rate,
    most_burst,
)

rates = st.integers(8_000, 50_000_000_000).map(lambda octets: octets * 8)


@given(st.integers(64_000, 400_000_000_000))
def test_rates_are_rounded_down_to_whole_bytes(rate: int) -> None:
    assert kernel_rate(rate) % 8 == 0
    assert 0 <= rate - kernel_rate(rate) < 8


@given(rates, st.integers(1, 2**32 - 1))
def test_a_burst_that_was_rounded_once_stays(rate: int, burst: int) -> None:
    kept = kernel_burst(rate, burst)
    assert kernel_burst(rate, kept) == kept


@given(st.integers(8_000, 15_625_000), st.integers(1600, 2**32 - 1))
def test_up_to_125_mbit_a_burst_is_kept_to_the_byte(octets: int, burst: int) -> None:
    assert kernel_burst(octets * 8, burst) == burst


@given(rates, st.integers(1280, 9216))
def test_the_default_burst_holds_a_tick_and_two_frames(rate: int, mtu: int) -> None:
    burst = default_burst(rate, mtu)
    assert burst * 8 >= rate // 100 - 8
    assert burst >= 2 * mtu


def test_numbers_of_the_walkthrough() -> None:
    assert kernel_rate(50_000_000) == 50_000_000
    assert default_burst(50_000_000, 1500) == 62_500
    assert default_burst(64_000, 1500) == 3_044


@given(rates.map(kernel_rate))
def test_the_greatest_burst_is_held_and_one_more_is_not(rate: int) -> None:
    most = most_burst(rate)
    assert burst_ticks(rate, most) <= MOST_TICKS
    assert kernel_burst(rate, most) <= MOST_BURST
    assert burst_ticks(rate, most + 1) > MOST_TICKS or kernel_burst(rate, most + 1) > MOST_BURST
