"""A changing request that is not answered is unknown, not failed, and counts as sent."""

import asyncio
from typing import Any

import pytest

from twinplane.errors import DriverError
from twinplane.netlink import connection
from twinplane.netlink.connection import Connection


class Mute:
    """A route socket that never answers."""

    closed = 0

    def __init__(self, **_: Any) -> None: ...

    async def nlm_request(self, *_: Any) -> Any:
        await asyncio.Event().wait()

    def close(self) -> None:
        Mute.closed += 1


def test_no_answer_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with Connection(deadline=0.05) as silent:
            with pytest.raises(
                DriverError, match=r"make bridge br0: no answer from the kernel in 0.05 s"
            ) as raised:
                await silent.create_bridge("br0", 1500, "02:00:00:00:00:01")
            assert raised.value.unknown
            assert silent.writes == 1
            assert Mute.closed == 1

    monkeypatch.setattr(connection, "AsyncIPRoute", Mute)
    asyncio.run(run())
