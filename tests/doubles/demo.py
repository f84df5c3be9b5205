"""The configuration of the demo, and what happens to it."""

from typing import Any

from doubles.box import deleted, replaced, updated
from twinplane.tree.edit import Edit

FW1 = "/appliances/appliance[name=fw1]"
IMAGE = "/images/image[name=firewall]"
LAN = "/virtual-switches/virtual-switch[name=lan]"
WAN = "/virtual-switches/virtual-switch[name=wan]"


def image(digit: str = "1") -> tuple[Edit, ...]:
    """The firewall's image; another digit is another kernel."""
    return replaced(
        IMAGE,
        {
            "config": {
                "name": "firewall",
                "format": "KERNEL",
                "kernel-source": "firewall/vmlinuz",
                "kernel-digest": "sha256:" + digit * 64,
                "initrd-source": "firewall/initrd.img",
                "initrd-digest": "sha256:" + "2" * 64,
                "command-line": "console=ttyS0 quiet",
            }
        },
    )


def switch(path: str, *ports: str, mtu: int | None = None) -> tuple[Edit, ...]:
    """A virtual switch with host ports."""
    name = path.split("=")[1].rstrip("]")
    value: dict[str, Any] = {"config": {"name": name}}
    if mtu is not None:
        value["config"]["mtu"] = mtu
    if ports:
        value["ports"] = {"port": [{"interface": port, "config": {"interface": port}} for port in ports]}
    return replaced(path, value)


def described(path: str, text: str) -> tuple[Edit, ...]:
    """Another description, which needs no effect."""
    return updated(f"{path}/config", {"description": text})


def appliance(
    *,
    state: str = "RUNNING",
    limit: int = 500,
    rate: int = 50_000_000,
    memory: int = 256 << 20,
    rules: str = "table inet fw { }\n",
    stop_timeout: int = 60,
) -> tuple[Edit, ...]:
    """The firewall between lan and wan, shaped on lan."""
    shaped = {"config": {"limit": str(rate)}}
    vnics = [
        {"name": "lan", "config": {"name": "lan", "index": 0, "virtual-switch": "lan"}},
        {"name": "wan", "config": {"name": "wan", "index": 1, "virtual-switch": "wan"}},
    ]
    vnics[0]["share"] = {"ingress": shaped, "egress": shaped}
    return replaced(
        FW1,
        {
            "config": {
                "name": "fw1",
                "type": "twinplane-types:VIRTUAL_MACHINE",
                "image": "firewall",
                "admin-state": state,
                "stop-timeout": stop_timeout,
            },
            "compute": {"config": {"vcpus": 1}, "share": {"config": {"guarantee": 250, "limit": limit}}},
            "memory": {"config": {"size": str(memory)}},
            "vnics": {"vnic": vnics},
            "bootstrap": {
                "files": {"file": [{"target": "rules", "config": {"target": "rules", "content": rules}}]}
            },
        },
    )


def everything(**settings: Any) -> tuple[Edit, ...]:
    """The whole demo in one request, with a host port on each switch; eth9 is not there."""
    return (
        *image(),
        *switch(LAN, "eth7"),
        *switch(WAN, "eth9"),
        *appliance(**settings),
    )


def nothing() -> tuple[Edit, ...]:
    """Delete it all."""
    return (*deleted("/appliances"), *deleted("/virtual-switches"), *deleted("/images"))
