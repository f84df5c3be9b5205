"""What the demo asks the box for, as gNMI paths and JSON_IETF values."""

from typing import Any

IMAGE = "/images/image[name=firewall]"
LAN = "/virtual-switches/virtual-switch[name=lan]"
WAN = "/virtual-switches/virtual-switch[name=wan]"
FIREWALL = "/appliances/appliance[name=fw1]"
CPU_LIMIT = f"{FIREWALL}/compute/share/config/limit"
LAN_LIMIT = f"{FIREWALL}/vnics/vnic[name=lan]/share/ingress/config/limit"

NETWORK = "lan 192.0.2.1/24\nwan 198.51.100.1/24\n"
RULES = """\
table inet firewall {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        icmp type echo-request accept
        tcp dport 8080 accept
    }
}
"""


def switch(name: str, port: str) -> dict[str, Any]:
    """A switch with one host port."""
    return {
        "twinplane-virtual-switch:config": {"name": name},
        "twinplane-virtual-switch:ports": {"port": [{"interface": port, "config": {"interface": port}}]},
    }


def firewall() -> dict[str, Any]:
    """The appliance: half a core at most, 256 MiB, two vNICs, 50 Mbit/s each way on the LAN side."""
    return {
        "twinplane-appliance:config": {
            "name": "fw1",
            "type": "twinplane-types:VIRTUAL_MACHINE",
            "image": "firewall",
        },
        "twinplane-appliance:compute": {
            "config": {"vcpus": 1},
            "share": {"config": {"guarantee": 250, "limit": 800}},
        },
        "twinplane-appliance:memory": {"config": {"size": str(256 * 1024 * 1024)}},
        "twinplane-appliance:vnics": {
            "vnic": [
                {
                    "name": "lan",
                    "config": {"name": "lan", "index": 0, "virtual-switch": "lan"},
                    "share": {
                        "ingress": {"config": {"limit": "50000000"}},
                        "egress": {"config": {"limit": "50000000"}},
                    },
                },
                {"name": "wan", "config": {"name": "wan", "index": 1, "virtual-switch": "wan"}},
            ]
        },
        "twinplane-appliance:bootstrap": {
            "files": {
                "file": [
                    {"target": "network", "config": {"target": "network", "content": NETWORK}},
                    {"target": "rules.nft", "config": {"target": "rules.nft", "content": RULES}},
                ]
            }
        },
    }
