"""Host port → what /interfaces sets on its device."""

from twinplane.model.port import HostPort
from twinplane.plan.context import Context
from twinplane.plan.resource import Link, Resource


def realise(port: HostPort, context: Context) -> tuple[Resource, ...]:
    """The resources of a host port: its link; an absent MTU is left alone."""
    del context  # a host port has the name it has
    return (Link(port.name, port.path, port.enabled, port.mtu),)
