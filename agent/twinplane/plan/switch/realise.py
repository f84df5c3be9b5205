"""Virtual switch → bridge and plugged host ports."""

from twinplane.model.names import bridge_name, derived_mac
from twinplane.model.switch import VirtualSwitch
from twinplane.plan.context import Context
from twinplane.plan.resource import Bridge, Plug, Port, Resource

# Address generation NONE (if_link.h: IN6_ADDR_GEN_MODE_NONE): the host is not a neighbour of its guests.
NO_ADDRESS = 1


def realise(switch: VirtualSwitch, context: Context) -> tuple[Resource, ...]:
    """The resources of a switch: its bridge, up, and its host ports in it (those that are there)."""
    name = bridge_name(context.instance, switch.path)
    mac = derived_mac(context.instance, switch.path)
    plugs = (Plug(port, switch.port_path(port), name, NO_ADDRESS) for port in switch.ports)
    return (
        Bridge(name, switch.path, switch.mtu, mac),
        Port(name, switch.path, master=None, up=True),
        *plugs,
    )
