"""The alarm while the time that is given out is ahead of the host's clock."""

import asyncio
import datetime

from twinplane.clock import Clock
from twinplane.state.raised import Raised

INTERVAL = 10.0  # seconds
TOLERATED = 1_000_000_000  # ns; less is made up within the hour
NAME = "clock"


async def serve(clock: Clock, raised: Raised) -> None:
    """Raise, keep up to date and clear it, until cancelled."""
    while True:
        report(clock, raised)
        await asyncio.sleep(INTERVAL)


def report(clock: Clock, raised: Raised) -> None:
    """Bring the alarm to what there is to report now."""
    ahead = clock.ahead
    if ahead <= TOLERATED:
        raised.clear(NAME)
        return
    text = (
        f"the clock of the host is {datetime.timedelta(seconds=round(ahead / 1e9))} behind the time that was "
        "given out before; timestamps go on from there. Set the clock; where it is right, "
        "`twinplane-agent clock accept` and a restart give up what a wrong clock left"
    )
    raised.set(NAME, "CLOCK", "WARNING", text)
