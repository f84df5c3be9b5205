"""Runs the attacks one after the other against one agent; what another user's Get had to wait meanwhile, and
what memory it took.

The agent has its real services and writer, over a back end without a host (bench/product.py). It is aimed at
a quiet machine: p99 of a Get within 100 ms, 250 ms at most; memory back within a fifth of what it was.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from abuse.attacks import ADMIN, READER, Attack, attacks
from bench.client import SIZE, admin, call, configuring, fill, folder, get_request
from bench.process import Process, started
from bench.run import REPOSITORY, environment
from bench.timing import p50, p99
from twinplane_wire.v1 import config_pb2

APPLIANCES = 20
PAUSE = 0.005  # seconds between two Gets
AFTER = float(os.environ.get("TWINPLANE_ABUSE_AFTER", "5"))  # seconds until memory has to be back
LIMIT = 120.0  # seconds that one attack may take
P99, LONGEST, KEPT = 100.0, 250.0, 1.2
HEADING = (
    f"{'':<52} {'codes':<28} {'s':>6} {'p50':>7} {'p99':>7} {'max':>7} {'MiB':>5} {'peak':>5} {'after':>5}"
)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: the Gets of another user in ms, memory in MiB."""

    name: str
    codes: dict[str, int]
    right: bool
    seconds: float
    p50: float
    p99: float
    longest: float
    before: float
    peak: float
    after: float

    @property
    def met(self) -> bool:
        """Whether the aims are."""
        held = self.after <= KEPT * self.before
        return self.right and self.p99 <= P99 and self.longest <= LONGEST and held

    def __str__(self) -> str:
        codes = " ".join(f"{code} {count}" for code, count in self.codes.items())
        times = f"{self.seconds:>6.1f} {self.p50:>7.1f} {self.p99:>7.1f} {self.longest:>7.0f}"
        memory = f"{self.before:>5.0f} {self.peak:>5.0f} {self.after:>5.0f}"
        return f"{self.name:<52} {codes:<28} {times} {memory}{'' if self.met else '  MISSED'}"


async def main(words: list[str]) -> int:
    """Run the attacks whose name has one of the words (all without a word); how many missed an aim."""
    chosen = [one for one in attacks() if not words or any(word in one.name for word in words)]
    results: list[Result] = []
    with folder() as place:
        async with started("bench.product", str(place / "s")) as agent, admin(agent.greeting) as channel:
            await fill(channel, APPLIANCES)
            await agent.ask("report")
            await asyncio.sleep(1)
            print(HEADING, flush=True)
            for attack in chosen:
                results.append(await measured(attack, agent, place, channel))
                print(results[-1], flush=True)
    file = REPOSITORY / "build/abuse.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(one), "met": one.met} for one in results]
    file.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    missed = sum(not one.met for one in results)
    print(f"{missed} of {len(results)} missed; written to {file.relative_to(REPOSITORY)}")
    return missed


async def measured(attack: Attack, agent: Process, place: Path, own: grpc.aio.Channel) -> Result:
    """One attack, and what it did to somebody else."""
    sockets = {name: next(one for one in agent.greeting if one.endswith(name)) for name in (ADMIN, READER)}
    file = place / "request"
    file.write_bytes(attack.request())
    before = agent.resident
    async with grpc.aio.insecure_channel(
        sockets[READER if attack.by == ADMIN else ADMIN], options=SIZE
    ) as other:
        get = call(other, "Get")
        asked = get_request("/system")
        for _ in range(20):
            await get(asked)
        times: list[float] = []
        peaks = [before]
        ended = asyncio.Event()

        async def probe() -> None:
            while not ended.is_set() or len(times) < 50:
                begin = time.monotonic()
                await get(asked, timeout=LIMIT)
                times.append((time.monotonic() - begin) * 1000)
                peaks.append(agent.resident)
                await asyncio.sleep(PAUSE)

        probing = asyncio.create_task(probe())
        await asyncio.sleep(0.2)
        begin = time.monotonic()
        codes = await sent(attack, sockets[attack.by], file)
        seconds = time.monotonic() - begin
        await asyncio.sleep(0.3)
        ended.set()
        await probing
    with contextlib.suppress(grpc.aio.AioRpcError):
        await configuring(own, config_pb2.DiscardRequest)(
            config_pb2.DiscardRequest(target=config_pb2.CANDIDATE)
        )
    await fill(own, APPLIANCES)  # what was configured by it is no loss of memory
    await asyncio.sleep(AFTER)
    mib = 1 << 20
    return Result(
        attack.name, codes, set(codes) <= set(attack.codes), seconds, p50(times), p99(times), max(times),
        before / mib, max(peaks) / mib, agent.resident / mib,
    )  # fmt: skip


async def sent(attack: Attack, address: str, file: Path) -> dict[str, int]:
    """The codes of the answers."""
    form = "stream" if attack.stream else "unary"
    words = (address, attack.method, file, attack.clients, attack.calls, attack.seconds, form)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "abuse.send",
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, _ = await process.communicate()
    codes: dict[str, int] = json.loads(out)
    return codes


if __name__ == "__main__":
    os.environ.update(environment())
    sys.exit(1 if asyncio.run(main(sys.argv[1:])) else 0)
