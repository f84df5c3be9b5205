"""The firewall of the doubles' demo as a client writes it: JSON_IETF by path."""

from typing import Any

IMAGE = "/images/image[name=firewall]"
LAN = "/virtual-switches/virtual-switch[name=lan]"
WAN = "/virtual-switches/virtual-switch[name=wan]"
FW1 = "/appliances/appliance[name=fw1]"
DOMAIN = "vmcj2zgj6z5h5"


def image() -> dict[str, Any]:
    """Kernel and initrd."""
    return {
        "config": {
            "format": "KERNEL",
            "kernel-source": "firewall/vmlinuz",
            "kernel-digest": "sha256:" + "1" * 64,
            "initrd-source": "firewall/initrd.img",
            "initrd-digest": "sha256:" + "2" * 64,
            "command-line": "console=ttyS0 quiet",
        }
    }


def switch(*ports: str) -> dict[str, Any]:
    """A virtual switch with host ports."""
    return {
        "config": {},
        "ports": {"port": [{"interface": port, "config": {"interface": port}} for port in ports]},
    }


def appliance(state: str = "RUNNING", limit: int = 500) -> dict[str, Any]:
    """One vCPU, 256 MiB, a vNIC on each switch."""
    return {
        "config": {"type": "VIRTUAL_MACHINE", "image": "firewall", "admin-state": state},
        "compute": {"config": {"vcpus": 1}, "share": {"config": {"guarantee": 250, "limit": limit}}},
        "memory": {"config": {"size": str(256 << 20)}},
        "vnics": {
            "vnic": [
                {"name": "lan", "config": {"name": "lan", "index": 0, "virtual-switch": "lan"}},
                {"name": "wan", "config": {"name": "wan", "index": 1, "virtual-switch": "wan"}},
            ]
        },
    }


def everything() -> dict[str, Any]:
    """The whole chain, as the updates or replaces of one request; eth9 is not there."""
    return {IMAGE: image(), LAN: switch("eth7"), WAN: switch("eth9"), FW1: appliance()}
