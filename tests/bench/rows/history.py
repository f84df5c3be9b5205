"""The history after 10,000 commits of one leaf at 100 appliances: its size, and how long it takes to list it,
to look into it and to roll back in it.

What a listing answers is measured against a bare handler that answers with as many bytes, a rollback against
a bare handler that makes one durable commit of the same size.
"""

import asyncio
from pathlib import Path

from bench.box import cpu_limit
from bench.client import admin, call, channel, configuring, fill, folder, set_request
from bench.process import started
from bench.report import Measurement, emit
from bench.rows.set import recorded
from bench.timing import in_turn, p50
from twinplane_wire.v1 import config_pb2 as pb

APPLIANCES = 100
COMMITS = 10_000
ROUNDS = 20
MIB = 1 << 20


async def main() -> None:
    with folder() as place:
        state = place / "s"
        async with (
            started("bench.product", str(state)) as product,
            started("bench.bare", str(place)) as bare,
            admin(product.greeting) as ours,
            channel(bare.greeting) as theirs,
        ):
            await fill(ours, APPLIANCES)
            empty = size(state)
            change = call(ours, "Set")
            for number in range(COMMITS):
                await change(set_request(cpu_limit(number % APPLIANCES), 500 + number // APPLIANCES))
            full = size(state)
            body = bytes(recorded(state / "twinplane.db"))
            listing, comparing = (
                configuring(ours, pb.ListCommitsRequest),
                configuring(ours, pb.CompareRequest),
            )
            rolling, bare_get = configuring(ours, pb.RollbackRequest), theirs.unary_unary("/bare/Get")
            bare_commit = theirs.unary_unary("/bare/Commit")
            for count, file in ((100, "some"), (COMMITS, "all")):
                request = pb.ListCommitsRequest(limit=count)
                (place / file).write_bytes((await listing(request)).SerializeToString())

            async def listed(count: int) -> None:
                await listing(pb.ListCommitsRequest(limit=count))

            async def compared(back: int) -> None:
                await comparing(pb.CompareRequest(**{"from": COMMITS // 2 + back}))

            async def rolled(number: int) -> None:
                await rolling(pb.RollbackRequest(number=COMMITS // 2 + number % 2))

            some, some_floor, all_, all_floor, middle, back, floor = await in_turn(
                ROUNDS,
                lambda _: listed(100),
                lambda _: bare_get(str(place / "some").encode()),
                lambda _: listed(COMMITS),
                lambda _: bare_get(str(place / "all").encode()),
                compared,
                rolled,
                lambda _: bare_commit(body),
            )
    emit(
        Measurement("History of 10,000 commits of one leaf, on disk", (full - empty) / MIB, "MiB"),
        Measurement("  of which each commit", (full - empty) / COMMITS, "bytes", len(body)),
        Measurement("ListCommits of 100 of 10,000, p50", p50(some), "ms", p50(some_floor)),
        Measurement("ListCommits of all 10,000, p50", p50(all_), "ms", p50(all_floor)),
        Measurement("Compare of running and 5,000 commits ago, p50", p50(middle), "ms"),
        Measurement("Rollback by 5,000 commits, p50", p50(back), "ms", p50(floor)),
    )


def size(state: Path) -> int:
    """The bytes of the datastore's files."""
    return sum(file.stat().st_size for file in state.glob("twinplane.db*"))


if __name__ == "__main__":
    asyncio.run(main())
