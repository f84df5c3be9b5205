"""The attacker, a process of its own:
`python -m abuse.send SOCKET METHOD FILE CLIENTS CALLS SECONDS stream|unary`.

Prints the codes of the answers with their numbers, as JSON.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import grpc

SIZE = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
)


async def main(
    address: str, method: str, file: str, clients: int, calls: int, seconds: float, form: str
) -> None:
    request = Path(file).read_bytes()
    codes: Counter[str] = Counter()

    async def client() -> None:
        async with grpc.aio.insecure_channel(address, options=SIZE) as channel:
            for _ in range(calls):
                try:
                    if form == "stream":
                        async for _answer in channel.stream_stream(method)(_once(request), timeout=seconds):
                            pass
                    else:
                        await channel.unary_unary(method)(request, timeout=seconds)
                    codes["OK"] += 1
                except grpc.aio.AioRpcError as error:
                    codes[error.code().name] += 1

    await asyncio.gather(*(client() for _ in range(clients)))
    print(json.dumps(codes))


async def _once(request: bytes) -> AsyncIterator[bytes]:
    yield request


if __name__ == "__main__":
    address, method, file, clients, calls, seconds, form = sys.argv[1:]
    asyncio.run(main(address, method, file, int(clients), int(calls), float(seconds), form))
