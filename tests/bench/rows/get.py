"""Get of one leaf over a Unix socket, against a bare handler that returns the same bytes."""

import asyncio

from bench.box import cpu_limit
from bench.client import admin, call, channel, fill, folder, get_request
from bench.process import started
from bench.report import Measurement, emit
from bench.timing import in_turn, p50

ROUNDS = 1500
APPLIANCES = 100


async def main() -> None:
    with folder() as place:
        answer = place / "answer"
        async with (
            started("bench.product", str(place / "s")) as product,
            started("bench.bare", str(place)) as bare,
            admin(product.greeting) as ours,
            channel(bare.greeting) as theirs,
        ):
            await fill(ours, APPLIANCES)
            get, bare_get = call(ours, "Get"), theirs.unary_unary("/bare/Get")
            requests = [get_request(cpu_limit(number)) for number in range(APPLIANCES)]
            answer.write_bytes(await get(requests[0]))
            name = str(answer).encode()

            async def one(number: int) -> None:
                await get(requests[number % APPLIANCES])

            async def bare_one(_: int) -> None:
                await bare_get(name)

            await in_turn(APPLIANCES, one, bare_one)
            mine, floor = await in_turn(ROUNDS, one, bare_one)
    emit(Measurement("Get of one leaf, p50", p50(mine), "ms", p50(floor), "≤ 1.3×"))


if __name__ == "__main__":
    asyncio.run(main())
