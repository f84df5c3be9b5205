"""Ticks do not drift, and missed ones are counted, not made up for."""

from twinplane.subscribe.sample import Ticker
from twinplane.subscribe.subscription import SECOND


def test_ticks_stay_on_the_grid_however_late_they_are_taken() -> None:
    ticker = Ticker(SECOND, 100.0)
    assert ticker.take(100.9) is None
    assert ticker.take(101.3) == 0
    assert ticker.due == 102.0
    assert ticker.take(105.5) == 3
    assert ticker.due == 106.0
