"""Many streams that are read and counted in a process of their own: `python -m bench.listener`.

What arrives is kept as bytes and looked at only when it is asked for: a reader must not be what is measured.
"""

import asyncio
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import grpc

from bench.client import channel
from bench.process import obey
from twinplane_wire.gnmi import gnmi_pb2


class Streams:
    """Streams of one method, one channel each."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._channels: list[grpc.aio.Channel] = []
        self._seen: Counter[bytes] = Counter()
        self._first: list[bytes] = []  # what the first stream got, in order
        self._synced = 0
        self._ignored = False

    async def open(self, command: dict[str, Any]) -> int:
        """Open `streams` of `method` at `address` with the request in a file; what they get is thrown away
        where it is `ignored`."""
        self._ignored = command.get("ignored", False)
        request = Path(command["request"]).read_bytes()
        for _ in range(command["streams"]):
            made = channel(command["address"])
            self._channels.append(made)
            call = made.stream_stream(command["method"])(iter_once(request))
            first = self._first if not self._tasks else None
            self._tasks.append(asyncio.ensure_future(self._read(call, first)))
        return command["streams"]

    async def close(self, _: dict[str, Any]) -> int:
        """End them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for made in self._channels:
            await made.close()
        self._tasks, self._channels, self._synced = [], [], 0
        return 0

    async def take(self, command: dict[str, Any]) -> tuple[int, int]:
        """Messages and leaves that came since the last time; those of the first stream go into `file`."""
        seen, self._seen = self._seen, Counter()
        first = self._first.copy()
        self._first.clear()
        if "file" in command:
            Path(command["file"]).write_bytes(pickle.dumps(first))
        return sum(seen.values()), sum(count * leaves(message) for message, count in seen.items())

    async def synced(self, _: dict[str, Any]) -> int:
        """How many streams have had their initial values."""
        return self._synced

    async def _read(self, call: Any, kept: list[bytes] | None) -> None:
        async for message in call:
            if message == SYNC:
                self._synced += 1
            elif not self._ignored:
                self._seen[message] += 1
                if kept is not None:
                    kept.append(message)


SYNC = gnmi_pb2.SubscribeResponse(sync_response=True).SerializeToString()


def leaves(message: bytes) -> int:
    """The updates in a SubscribeResponse."""
    return len(gnmi_pb2.SubscribeResponse.FromString(message).update.update)


async def iter_once(request: bytes) -> Any:
    """The one request of a stream, which stays open."""
    yield request
    await asyncio.Event().wait()


async def main() -> None:
    streams = Streams()
    await obey(
        "ready",
        {"open": streams.open, "close": streams.close, "take": streams.take, "synced": streams.synced},
    )


if __name__ == "__main__":
    asyncio.run(main())
