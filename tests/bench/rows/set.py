"""Set of one leaf at 10, 100 and 1,000 appliances, against a bare handler that makes one durable commit.

The leaf is an appliance's CPU limit: one step of the plan, made by a driver that believes. The datastore is
a real file; the floor's commit has as many bytes as the record of ours.
"""

import asyncio
import sqlite3
from pathlib import Path

from bench.box import cpu_limit
from bench.client import admin, call, channel, fill, folder, set_request
from bench.process import started
from bench.report import Measurement, emit
from bench.timing import in_turn, p50

SIZES = (10, 100, 1000)
ROUNDS = 250
AIM = "≤ 5×"


async def main() -> None:
    medians: list[float] = []
    for size in SIZES:
        with folder() as place:
            medians.append(await measure(size, place))
    emit(Measurement("Set of one leaf, growth from 10 to 1,000", medians[-1], "ms", medians[0], "≤ 2×"))


async def measure(size: int, place: Path) -> float:
    """One size of box; the median of a Set in milliseconds."""
    state = place / "s"
    async with (
        started("bench.product", str(state)) as product,
        started("bench.bare", str(place)) as bare,
        admin(product.greeting) as ours,
        channel(bare.greeting) as theirs,
    ):
        await fill(ours, size)
        change, commit = call(ours, "Set"), theirs.unary_unary("/bare/Commit")

        async def set_limit(number: int) -> None:
            await change(set_request(cpu_limit(number * 7 % size), 500 + number % 400))

        await set_limit(401)
        body = bytes(recorded(state / "twinplane.db"))
        await in_turn(20, set_limit, lambda _: commit(body))
        await product.ask("stages")
        mine, floor = await in_turn(ROUNDS, set_limit, lambda _: commit(body))
        sets = await product.ask("stages")
    note = f"{len(body)} bytes"
    emit(Measurement(f"Set of one leaf at {size:,} appliances, p50", p50(mine), "ms", p50(floor), AIM, note))
    if size == SIZES[-1]:
        for stage in sets[0]:
            emit(Measurement(f"  of which {stage}", p50([one[stage] for one in sets]), "ms"))
        around = [whole - sum(one.values()) for whole, one in zip(mine, sets, strict=True)]
        emit(Measurement("  of which gRPC, both ends", p50(around), "ms"))
    return p50(mine)


def recorded(database: Path) -> int:
    """The bytes that the newest commit wrote: its record and the object."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        record = db.execute(
            "SELECT length(forward) + length(reverse) FROM commits ORDER BY number DESC LIMIT 1"
        ).fetchone()[0]
        body = db.execute("SELECT max(length(body)) FROM object").fetchone()[0]
    db.close()
    return int(record + body)


if __name__ == "__main__":
    asyncio.run(main())
