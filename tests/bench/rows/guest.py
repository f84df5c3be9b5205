"""Set → appliance running, and live changes of shares, against the same through libvirt and netlink directly.

The real agent and the direct calls are in processes and state directories of their own, in one network
namespace, under emulation. Both begin with files in place; the agent makes taps, ports and seed besides, and
commits. A guest is ended before the other one starts, so that none is disturbed by the other's boot. For the
live changes both guests are up and idle.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from bench import namespace
from bench.client import call, channel, delete_request, folder, get_request, set_request
from bench.direct import RULES
from bench.process import Process, started
from bench.report import Measurement, emit
from bench.timing import p50
from hypervisor.scenario import end_guests
from twinplane_wire.gnmi import gnmi_pb2

REPOSITORY = Path(__file__).parents[3]
STARTS = 4
CHANGES = 15
UP = "twinplane-firewall: up"
BOOT = 45.0  # seconds for both guests
RECORD = 3000  # bytes that a commit of ours writes
APPLIANCE = "/appliances/appliance[name=fw1]"
CPU = f"{APPLIANCE}/compute/share/config/limit"
RATE = f"{APPLIANCE}/vnics/vnic[name=lan]/share/ingress/config/limit"


def appliance() -> dict[str, object]:
    """The appliance that the direct process has, as configuration."""
    vnics = [
        {"name": name, "config": {"name": name, "index": index, "virtual-switch": name}}
        for index, name in enumerate(("lan", "wan"))
    ]
    rules = {"target": "rules.nft", "content": RULES}
    vnics[0]["share"] = {"ingress": {"config": {"limit": "50000000"}}}
    return {
        "config": {"name": "fw1", "type": "twinplane-types:VIRTUAL_MACHINE", "image": "firewall"},
        "compute": {"config": {"vcpus": 1}, "share": {"config": {"limit": 1000}}},
        "memory": {"config": {"size": str(256 << 20)}},
        "vnics": {"vnic": vnics},
        "bootstrap": {"files": {"file": [{"target": "rules.nft", "config": rules}]}},
    }


@asynccontextmanager
async def agent(place: Path) -> AsyncIterator[grpc.aio.Channel]:
    """The agent as it is installed; a channel to it, once it answers. It ends as a service does."""
    environment = {
        **os.environ,
        "TWINPLANE_AGENT_STATE_DIR": str(place / "a"),
        "TWINPLANE_AGENT_IMAGE_DIR": str(REPOSITORY / "build/images"),
        "TWINPLANE_LISTEN_ADDRESSES": "localhost:0",
        "TWINPLANE_HYPERVISOR_ACCELERATOR": "TCG",
    }
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "twinplane", "run"], env=environment, stdout=log, stderr=log
        )
    try:
        async with channel(f"unix:{place}/a/run/admin.sock") as made:
            async with asyncio.timeout(30):
                while process.poll() is None:
                    try:
                        await call(made, "Get")(get_request("/system"))
                        break
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(0.1)
            if process.poll() is not None:
                raise RuntimeError((place / "log").read_text())
            yield made
    finally:
        process.terminate()
        process.wait(10)


async def main() -> None:
    namespace.enter_new()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    image = json.loads((REPOSITORY / "build/images/firewall/image.json").read_text())
    with folder() as place:
        direct_state = place / "d"
        for name in ("images", "appliances", "trash"):
            (direct_state / name).mkdir(parents=True, mode=0o711)
        direct_state.chmod(0o711)
        async with started("bench.direct", str(direct_state)) as direct, agent(place) as ours:
            change = call(ours, "Set")
            await change(first(image))
            try:
                await running(change, direct)
                note = await both_up(place, change, direct)
                await shares(change, direct, note)
            finally:
                end_guests(place / "a")
                end_guests(direct_state)


async def running(change: Callable[..., Awaitable[bytes]], direct: Process) -> None:
    """Start and end, in turns."""
    mine: list[float] = []
    floor: list[float] = []
    create = set_request(APPLIANCE, appliance(), replace=True)
    for _ in range(STARTS):
        mine.append(await timed(lambda: change(create)))
        await change(delete_request(APPLIANCE))
        floor.append(await direct.ask("start"))
        await direct.ask("end")
    emit(Measurement("Set → appliance running", p50(mine), "ms", p50(floor), "≤ 1.1×"))


async def both_up(place: Path, change: Callable[..., Awaitable[bytes]], direct: Process) -> str:
    """Boot both guests and wait until they are idle; what to say of it where they are not."""
    await change(set_request(APPLIANCE, appliance(), replace=True))
    await direct.ask("start")
    await direct.ask("shape")
    end = time.monotonic() + BOOT
    while time.monotonic() < end:
        consoles = (place / "a").glob("appliances/*/console.log")
        if await direct.ask("says", text=UP) and any(UP in log.read_text("latin-1") for log in consoles):
            return ""
        await asyncio.sleep(0.5)
    return "guests still booting"


async def shares(change: Callable[..., Awaitable[bytes]], direct: Process, note: str) -> None:
    """Both kinds of live change, in turns."""
    for name, path, do, argument, unit in (
        ("CPU limit", CPU, "limit_cpu", "millicores", 1),
        ("vNIC limit", RATE, "limit_rate", "rate", 100_000),
    ):
        mine: list[float] = []
        floor: list[float] = []
        durable: list[float] = []
        for number in range(CHANGES):
            value = unit * (500 + number)
            text = value if unit == 1 else str(value)
            mine.append(await timed(lambda path=path, text=text: change(set_request(path, text))))
            floor.append(await direct.ask(do, **{argument: value}))
            durable.append(floor[-1] + await direct.ask("commit", size=RECORD))
        emit(
            Measurement(f"Live change of a {name}", p50(mine), "ms", p50(floor), "≤ 1.2×", note),
            Measurement("  over the same and one durable commit", p50(mine), "ms", p50(durable)),
        )


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds until it is done."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await work()
    return (loop.time() - begin) * 1000


def first(image: dict[str, str]) -> bytes:
    """The image object and two switches."""
    request = gnmi_pb2.SetRequest()
    request.ParseFromString(set_request("/images/image[name=firewall]", image, replace=True))
    for name in ("lan", "wan"):
        path = f"/virtual-switches/virtual-switch[name={name}]"
        request.MergeFromString(set_request(path, {"config": {"name": name}}, replace=True))
    return request.SerializeToString()


if __name__ == "__main__":
    asyncio.run(main())
