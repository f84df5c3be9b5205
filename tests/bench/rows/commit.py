"""The configuration service at 10, 100 and 1,000 appliances: Edit, Plan, Commit, Compare, GetConfig.

One leaf changes: an appliance's CPU limit. A commit is measured against a bare handler that makes one durable
commit of the same size, whatever only answers against a bare handler that answers with as many bytes, and the
whole box also against orjson on the same data.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from bench.box import cpu_limit
from bench.client import admin, channel, configuring, edit_request, fill, folder
from bench.process import started
from bench.report import Measurement, emit
from bench.rows.set import recorded
from bench.timing import in_turn, in_turn_here, p50
from twinplane_wire.v1 import config_pb2 as pb

SIZES = (10, 100, 1000)
ROUNDS = 100
WHOLE_ROUNDS = 10
CALLS = ("Edit", "Plan", "Commit", "Compare")


async def main() -> None:
    medians: list[dict[str, float]] = []
    for size in SIZES:
        with folder() as place:
            medians.append(await measure(size, place))
    for name in CALLS:
        first, last = medians[0][name], medians[-1][name]
        emit(Measurement(f"{name}, growth from {SIZES[0]} to {SIZES[-1]:,}", last, "ms", first, "≤ 2×"))


async def measure(size: int, place: Path) -> dict[str, float]:
    """One size of box; the medians in milliseconds."""
    state = place / "s"
    async with (
        started("bench.product", str(state)) as product,
        started("bench.bare", str(place)) as bare,
        admin(product.greeting) as ours,
        channel(bare.greeting) as theirs,
    ):
        await fill(ours, size)
        edit, plan = configuring(ours, pb.EditRequest), configuring(ours, pb.PlanRequest)
        commit, compare = configuring(ours, pb.CommitRequest), configuring(ours, pb.CompareRequest)
        bare_commit, bare_get = theirs.unary_unary("/bare/Commit"), theirs.unary_unary("/bare/Get")
        numbers: list[int] = []

        async def change(number: int) -> None:
            await edit(edit_request(cpu_limit(number * 7 % size), 500 + number % 400))

        async def made(_: int) -> None:
            numbers.append((await commit(pb.CommitRequest())).revision)

        async def planned(_: int) -> None:
            await plan(pb.PlanRequest())

        async def compared(_: int) -> None:
            await compare(pb.CompareRequest(**{"from": numbers[-2], "to": numbers[-1]}))

        async def answer(request: bytes) -> Callable[[int], Awaitable[bytes]]:
            file = place / f"answer{len(request)}"
            file.write_bytes(request)
            name = str(file).encode()
            return lambda _: bare_get(name)

        for number in (401, 402):
            await change(number)
            await made(number)
        await change(403)
        body = bytes(recorded(state / "twinplane.db"))
        plan_floor = await answer((await plan(pb.PlanRequest())).SerializeToString())
        nothing = await answer(b"")
        calls = (change, nothing, planned, plan_floor, made, lambda _: bare_commit(body), compared)
        await in_turn(10, *calls)
        mine = await in_turn(ROUNDS, *calls, plan_floor)
        medians = {name: p50(mine[index]) for name, index in zip(CALLS, (0, 2, 4, 6), strict=True)}
        floors = {name: p50(mine[index]) for name, index in zip(CALLS, (1, 3, 5, 7), strict=True)}
        for name in CALLS:
            aim = "≤ 5×" if name == "Commit" else ""
            note = f"{len(body)} bytes" if name == "Commit" else ""
            title = f"{name} of one leaf at {size:,} appliances, p50"
            emit(Measurement(title, medians[name], "ms", floors[name], aim, note))
        if size == SIZES[-1]:
            await whole(configuring(ours, pb.GetConfigRequest), change, made, answer)
    return medians


async def whole(
    get: Callable[[pb.GetConfigRequest], object],
    change: Callable[[int], Awaitable[None]],
    made: Callable[[int], Awaitable[None]],
    answer: Callable[[bytes], Awaitable[Callable[[int], Awaitable[bytes]]]],
) -> None:
    """GetConfig of the whole box, after one leaf changed and after nothing did."""
    texts: list[bytes] = []

    async def read(_: int) -> None:
        texts.append(b"".join([piece.text async for piece in get(pb.GetConfigRequest())]))  # type: ignore[attr-defined]

    async def changed(number: int) -> None:
        await change(number + 1000)
        await made(number)

    await read(0)
    floor = await answer(texts[0])
    data = orjson.loads(texts[0])
    note = f"{len(texts[0]) / 1e6:.1f} MB"
    _, after, wire, warm = await in_turn(WHOLE_ROUNDS, changed, read, floor, read)
    (dumped,) = in_turn_here(WHOLE_ROUNDS, lambda: orjson.dumps(data))
    dump, bytes_alone = p50(dumped), p50(wire)
    for title, found in (("one changed", after), ("warm", warm)):
        name = f"GetConfig of the whole box at {SIZES[-1]:,}, {title}"
        emit(
            Measurement(name, p50(found), "ms", bytes_alone, "", f"{note} over a bare handler"),
            Measurement(name, p50(found), "ms", dump + bytes_alone, "≤ 2×", "over orjson and a bare handler"),
        )


if __name__ == "__main__":
    asyncio.run(main())
