"""Get of one leaf while a crowd of streams is open, against the same Get where nobody else is.

Two agents with the same box take turns, call by call. One serves 500 streams that have nothing to say and 10
that get every counter of the box each second.
"""

import asyncio
from pathlib import Path

from bench.box import cpu_limit
from bench.client import admin, call, fill, folder, get_request, subscribe_request
from bench.process import Process, started
from bench.report import Measurement, emit
from bench.timing import in_turn, p50, p99
from twinplane_wire.gnmi import gnmi_pb2

APPLIANCES = 100
ROUNDS = 800
IDLE, BUSY = 500, 10
INTERVAL = 1.0  # seconds
QUIET = "/appliances/appliance/config"
COUNTERS = "/interfaces/interface/state/counters"


async def main() -> None:
    with folder() as place:
        async with (
            started("bench.product", str(place / "s")) as product,
            started("bench.product", str(place / "t")) as alone,
            started("bench.listener") as idle,
            started("bench.listener") as busy,
            admin(product.greeting) as ours,
            admin(alone.greeting) as others,
        ):
            for process, channel in ((product, ours), (alone, others)):
                await fill(channel, APPLIANCES)
                await process.ask("report")
            get, get_alone = call(ours, "Get"), call(others, "Get")
            requests = [get_request(cpu_limit(number)) for number in range(APPLIANCES)]
            await crowd(place / "idle", product, idle, IDLE, subscribe_request((QUIET,)))
            sampling = subscribe_request((COUNTERS,), gnmi_pb2.SAMPLE, INTERVAL)
            await crowd(place / "busy", product, busy, BUSY, sampling)

            async def in_crowd(number: int) -> None:
                await get(requests[number % APPLIANCES])

            async def by_itself(number: int) -> None:
                await get_alone(requests[number % APPLIANCES])

            await in_turn(APPLIANCES, in_crowd, by_itself)
            mine, floor = await in_turn(ROUNDS, in_crowd, by_itself)
    note = f"{IDLE} idle and {BUSY} busy streams"
    emit(
        Measurement("Get of one leaf in a crowd, p50", p50(mine), "ms", p50(floor), "≤ 1.3×", note),
        Measurement("Get of one leaf in a crowd, p99", p99(mine), "ms", p99(floor)),
    )


async def crowd(file: Path, product: Process, listener: Process, streams: int, request: bytes) -> None:
    """Open so many streams of one request and wait until they have their initial values."""
    file.write_bytes(request)
    address = next(one for one in product.greeting if one.endswith("admin.sock"))
    method = "/gnmi.gNMI/Subscribe"
    await listener.ask(
        "open", method=method, address=address, request=str(file), streams=streams, ignored=True
    )
    while await listener.ask("synced") < streams:
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
