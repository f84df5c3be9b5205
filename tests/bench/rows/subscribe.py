"""Subscribe: leaf updates per CPU second of the server, with 1 and with 50 subscribers.

SAMPLE of the counters of 1,000 vNICs, all of which differ at every sample; ON_CHANGE of their state while all
of their devices lose and find their carrier. The floor is a bare handler that writes ready bytes: the very
messages that the product sent, at the same pace to as many streams. Both are measured in turns.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench.client import admin, call, fill, folder, get_request, subscribe_request
from bench.process import Process, started
from bench.report import Measurement, emit
from twinplane_wire.gnmi import gnmi_pb2

APPLIANCES = 500  # with two vNICs each
TURNS = 1
SETTLING = 1.0  # seconds until initial values are through
SAMPLE, ON_CHANGE = gnmi_pb2.SAMPLE, gnmi_pb2.ON_CHANGE


@dataclass(frozen=True, slots=True)
class Load:
    """One line of the table: what is subscribed, by how many, how often it is sent (seconds), how long."""

    name: str
    paths: tuple[str, ...]
    mode: int
    streams: int
    interval: float
    passes: int
    flips: bool = False


BARE = "/bare/Stream"
STATE = "/interfaces/interface/state"
LINKS = (f"{STATE}/oper-status", f"{STATE}/admin-status", f"{STATE}/last-change")
COUNTERS = (f"{STATE}/counters",)
LOADS = (
    Load("SAMPLE of counters, 1 subscriber", COUNTERS, SAMPLE, 1, 1.0, 3),
    Load("SAMPLE of counters, 50 subscribers", COUNTERS, SAMPLE, 50, 1.0, 3),
    Load("ON_CHANGE of counters, 1 subscriber", COUNTERS, ON_CHANGE, 1, 1.0, 3),
    Load("ON_CHANGE of counters, 50 subscribers", COUNTERS, ON_CHANGE, 50, 1.0, 3),
    Load("ON_CHANGE of link state, 1 subscriber", LINKS, ON_CHANGE, 1, 1.0, 3, flips=True),
    Load("ON_CHANGE of link state, 50 subscribers", LINKS, ON_CHANGE, 50, 1.0, 3, flips=True),
)


async def main(loads: Sequence[Load] = LOADS) -> None:
    """Measure one load after the other on the same box."""
    with folder() as place:
        async with (
            started("bench.product", str(place / "s")) as product,
            started("bench.bare", str(place)) as bare,
            admin(product.greeting) as ours,
        ):
            await fill(ours, APPLIANCES)
            await product.ask("report")
            await call(ours, "Get")(get_request("/interfaces"))
            await asyncio.sleep(2 * SETTLING)  # what has appeared is compared with what is wanted
            for load in loads:
                async with started("bench.listener") as listener:
                    await measure(load, place, product, bare, listener)


async def measure(load: Load, place: Path, product: Process, bare: Process, listener: Process) -> None:
    """The product, then the floor with what the product sent, in turns."""
    mine: list[float] = []
    floor: list[float] = []
    for turn in range(TURNS):
        request = place / f"request{turn}"
        messages = place / f"messages{turn}"
        interval = load.interval if load.mode == SAMPLE else 0
        request.write_bytes(subscribe_request(load.paths, load.mode, interval))
        address = next(one for one in product.greeting if one.endswith("admin.sock"))
        rate, _ = await rated(load, product, listener, messages, address, "/gnmi.gNMI/Subscribe", request)
        mine.append(rate)
        wanted = {"file": str(messages), "interval": load.interval, "portions": load.passes}
        bare_request = place / f"bare{turn}"
        bare_request.write_text(json.dumps(wanted))
        copy = place / "copy"
        rate, size = await rated(load, bare, listener, copy, bare.greeting, BARE, bare_request)
        floor.append(rate)
    unit, note = "leaves/CPU s", f"{size:.0f} leaves a message"
    emit(Measurement(f"{load.name}", mean(mine), unit, mean(floor), "≥ 0.5×", note))


async def rated(
    load: Load, server: Process, listener: Process, kept: Path, address: str, method: str, request: Path
) -> tuple[float, float]:
    """Leaves per CPU second of a server, and leaves per message; what one stream got is kept in a file."""
    await listener.ask("open", method=method, address=address, request=str(request), streams=load.streams)
    while method != BARE and await listener.ask("synced") < load.streams:
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLING)
    await listener.ask("take")
    used = await server.cpu()
    if load.flips and method != BARE:
        await server.ask("flip", times=load.passes, pause=load.interval)
    else:
        await asyncio.sleep(load.passes * load.interval)
    used = await server.cpu() - used
    messages, leaves = await listener.ask("take", file=str(kept))
    await listener.ask("close")
    return leaves / used, leaves / max(1, messages)


if __name__ == "__main__":
    asyncio.run(main())
