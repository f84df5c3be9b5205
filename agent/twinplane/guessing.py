"""The alarm while somebody guesses passwords."""

import asyncio

from twinplane.identity.directory import Directory
from twinplane.state.raised import Raised

INTERVAL = 10.0  # seconds
NAME = "guessing"


async def serve(users: Directory, raised: Raised) -> None:
    """Raise, keep up to date and clear it, until cancelled."""
    while True:
        report(users, raised)
        await asyncio.sleep(INTERVAL)


def report(users: Directory, raised: Raised) -> None:
    """Bring the alarm to what there is to report now."""
    text = users.guesses.summary(users.users)
    if text:
        raised.set(NAME, "GUESSING", "WARNING", text)
    elif text is not None:
        raised.clear(NAME)
