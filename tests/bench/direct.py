"""The floor for guests: the same definition through libvirt, the same rate through netlink, and nothing else.

`python -m bench.direct STATE_DIR`: files and taps are there before anything is timed. Answers are
milliseconds, measured here.
"""

import asyncio
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt

from bench.process import obey
from hypervisor.appliance import INSTANCE, drivers, firewall
from twinplane.hypervisor.embedded import open_embedded
from twinplane.model.appliance import Vnic
from twinplane.model.names import tap_name
from twinplane.netlink.connection import Connection
from twinplane.plan.resource import Htb, Run

RULES = "table inet fw { }\n"  # without rules the appliance does not say that it is up
PERIOD = 100_000


async def serve(state: Path) -> None:
    """Serve until the other side hangs up."""
    vnics = tuple(
        Vnic(name, index, None, 1500, name, None, None) for index, name in enumerate(("lan", "wan"))
    )
    fw = firewall(state, vnics, rules_nft=RULES)
    embedded = await open_embedded(state / "libvirt")
    await fw.place_files(drivers(embedded, state))
    xml = fw.domain(Run.RUNNING).xml("")
    shutil.chown(state / fw.seed().file, embedded.root.user)
    handle = embedded.connection._open_handle()
    database = sqlite3.connect(state / "direct.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE history (number INTEGER PRIMARY KEY, body BLOB)")
    async with Connection() as netlink:
        for vnic in vnics:
            await netlink.create_tap(tap_name(INSTANCE, fw.model.vnic_path(vnic.name)))
        tap = await netlink.link(tap_name(INSTANCE, fw.model.vnic_path("lan")))
        assert tap is not None

        async def start(_: dict[str, Any]) -> float:
            return timed(lambda: handle.defineXML(xml).create())

        async def end(_: dict[str, Any]) -> float:
            domain = handle.lookupByName(fw.name)

            def forget() -> None:
                domain.destroy()
                domain.undefine()

            return timed(forget)

        async def says(command: dict[str, Any]) -> bool:
            return fw.says(command["text"])

        async def limit_cpu(command: dict[str, Any]) -> float:
            domain = handle.lookupByName(fw.name)
            values = {"global_period": PERIOD, "global_quota": PERIOD * command["millicores"] // 1000}

            def change() -> None:
                domain.setSchedulerParametersFlags(values, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
                domain.setSchedulerParametersFlags(values, libvirt.VIR_DOMAIN_AFFECT_LIVE)

            return timed(change)

        async def shape(_: dict[str, Any]) -> int:
            await netlink.set_shaper(tap)
            return 0

        async def limit_rate(command: dict[str, Any]) -> float:
            htb = Htb(tap.name, command["rate"], 20_000, fw.model.path)
            begin = time.perf_counter_ns()
            await netlink.set_class(tap, htb.rate, htb.ticks)
            return (time.perf_counter_ns() - begin) / 1e6

        async def commit(command: dict[str, Any]) -> float:
            body = bytes(command["size"])
            return timed(lambda: database.execute("INSERT INTO history (body) VALUES (?)", (body,)))

        commands = (start, end, says, limit_cpu, shape, limit_rate, commit)
        await obey("ready", {command.__name__: command for command in commands})
    await embedded.close()


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of a call."""
    begin = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begin) / 1e6


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
