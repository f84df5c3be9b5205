"""Host ports of a place: made, looked at, taken away."""

import json
from typing import Any

from e2e.agent import Agent
from e2e.documents import switch_path
from e2e.place import Place


def port(switch: str, interface: str) -> str:
    """The path of a port."""
    return f"{switch_path(switch)}/ports/port[interface={interface}]"


def clear(agent: Agent) -> None:
    with agent.client() as client:
        client.set(delete=["/appliances", "/images", "/virtual-switches", "/interfaces"])
    for row in json.loads(agent.place.ip("-json", "link")):
        if row["ifname"].startswith("host"):
            agent.place.ip("link", "delete", row["ifname"], check=False)


def cable(place: Place, name: str, **settings: str) -> None:
    """A host port with an end that nobody looks at."""
    words = [word for pair in settings.items() for word in pair]
    place.ip("link", "add", name, *words, "type", "veth", "peer", "name", f"{name}x")
    place.ip("link", "set", f"{name}x", "up")


def row(place: Place, name: str) -> dict[str, Any]:
    """What the kernel says of a device, without what changes by itself."""
    (found,) = json.loads(place.ip("-json", "-details", "address", "show", name))
    return {
        key: found.get(key)
        for key in ("mtu", "master", "flags", "ifalias", "inet6_addr_gen_mode", "promiscuity", "address")
    } | {"addresses": [each["local"] for each in found["addr_info"]]}
