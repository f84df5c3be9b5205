"""Start to serving and resident memory at 1,000 appliances, against a bare gRPC server in Python.

The datastore holds 1,000 running appliances with two vNICs each; drivers that believe hold what realises
them, so that adoption reads and compares everything and changes nothing. Memory is what the process has once
all facts are in the tree and the whole of it was read once. The probe of the host is not in it (a second).
"""

import asyncio

from bench.client import admin, call, fill, folder, get_request
from bench.process import started
from bench.report import Measurement, emit
from bench.timing import p50

APPLIANCES = 1000
STARTS = 3
MIB = 1 << 20


async def main() -> None:
    mine: list[float] = []
    floor: list[float] = []
    with folder() as place:
        state = str(place / "s")
        async with started("bench.product", state) as product, admin(product.greeting) as ours:
            await fill(ours, APPLIANCES)
        for _ in range(STARTS):
            async with started("bench.bare", str(place)) as bare:
                floor.append(bare.seconds)
                bare_memory = bare.resident / MIB
            async with started("bench.product", state) as product, admin(product.greeting) as ours:
                mine.append(product.seconds)
                memory = product.resident / MIB
                await call(ours, "Get")(get_request("/"))
                read_memory = product.resident / MIB
    emit(
        Measurement("Start to serving at 1,000 appliances", p50(mine), "s", p50(floor), "≤ 1.5 s"),
        Measurement("Resident memory after start", memory, "MiB", bare_memory, "≤ 200 MiB"),
        Measurement("Resident memory after a whole Get", read_memory, "MiB", bare_memory, "≤ 200 MiB"),
    )


if __name__ == "__main__":
    asyncio.run(main())
