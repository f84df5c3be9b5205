"""What is configured on the host that is captured, and what is then done to it."""

import asyncio
import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinplane_client import Client

IMAGE = "/images/image[name=firewall]"
FIREWALL = "/appliances/appliance[name=fw1]"


@dataclass(frozen=True, slots=True)
class Later:
    """What the configuration that is kept has less and more than what the sources saw."""

    delete: tuple[str, ...] = ()
    replace: dict[str, Any] = field(default_factory=dict)


async def firewall(client: Client, images: Path) -> Later:
    """A firewall between two switches, shaped on one side; a host port with a cable, one that is absent. Then
    somebody changes a limit with tc."""
    for end in ("demo-c", "demo-s"):
        _run("ip", "link", "add", end, "type", "veth", "peer", "name", f"{end}1")
        _run("ip", "link", "set", f"{end}1", "up")
    rate = {"config": {"limit": "50000000"}}
    await _set(
        client,
        {
            IMAGE: _image(images),
            "/virtual-switches/virtual-switch[name=lan]": {
                "config": {"name": "lan"},
                "ports": {"port": [_port("demo-c"), _port("absent0")]},
            },
            "/virtual-switches/virtual-switch[name=wan]": {"config": {"name": "wan"}},
            FIREWALL: {
                "config": {"name": "fw1", "type": "VIRTUAL_MACHINE", "image": "firewall"},
                "compute": {"config": {"vcpus": 1}, "share": {"config": {"guarantee": 250, "limit": 500}}},
                "memory": {"config": {"size": str(256 << 20)}},
                "vnics": {
                    "vnic": [
                        {
                            "name": "lan",
                            "config": {"name": "lan", "index": 0, "virtual-switch": "lan"},
                            "share": {"ingress": rate, "egress": rate},
                        },
                        {"name": "wan", "config": {"name": "wan", "index": 1, "virtual-switch": "wan"}},
                    ]
                },
                "bootstrap": {
                    "files": {
                        "file": [
                            {
                                "target": "network",
                                "config": {"target": "network", "content": "lan 192.0.2.1/24\n"},
                            }
                        ]
                    }
                },
            },
        },
    )
    await asyncio.sleep(5)  # the guest boots, and is polled
    links = json.loads(_run("ip", "-json", "link"))
    (shaper,) = (link["ifname"] for link in links if link["ifname"].startswith("fb"))
    shown = _run("tc", "class", "show", "dev", shaper).split()  # class htb 7470:1 root rate …
    parent = shown[2].partition(":")[0] + ":"
    _run(*f"tc class change dev {shaper} parent {parent} classid {shown[2]} htb rate 20mbit".split())
    for _ in range(3):
        await asyncio.sleep(1.5)
        await asyncio.to_thread(client.get, "/")  # which polls the counters
    return Later()


async def trouble(client: Client, images: Path) -> Later:
    """A guest whose process was killed, one configured to be off, one no longer configured, and an image
    whose files nobody has seen yet."""
    base = {"type": "VIRTUAL_MACHINE", "image": "firewall"}
    await _set(
        client,
        {
            IMAGE: _image(images),
            **{
                f"/appliances/appliance[name={name}]": {
                    "config": {"name": name, **base, "admin-state": state},
                    "memory": {"config": {"size": str(128 << 20)}},
                }
                for name, state in (("r1", "RUNNING"), ("r2", "STOPPED"), ("left", "RUNNING"))
            },
        },
    )
    await asyncio.sleep(3)
    (read,) = await asyncio.to_thread(client.get, "/appliances/appliance[name=r1]/state/uuid")
    uuid = read.updates[0].value
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"qemu-system" in words and f"uuid\0{uuid}".encode() in words:
            os.kill(int(process.name), signal.SIGKILL)
    await asyncio.sleep(3)
    later = _image(images)
    later["twinplane-image:config"]["name"] = "router"
    return Later(("/appliances/appliance[name=left]",), {"/images/image[name=router]": later})


STORIES = {"firewall": firewall, "trouble": trouble}


def _image(images: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((images / "firewall/image.json").read_text())
    return document


def _port(name: str) -> dict[str, Any]:
    return {"interface": name, "config": {"interface": name}}


async def _set(client: Client, replace: dict[str, Any]) -> None:
    await asyncio.to_thread(client.set, replace=replace)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
