"""gnmi.gNMI put together: its four methods behind the door of one listener."""

from dataclasses import dataclass, replace

import grpc

from twinplane.identity.role import Access
from twinplane.services.gnmi.capabilities import Capabilities
from twinplane.services.gnmi.get import Get
from twinplane.services.gnmi.past import Past
from twinplane.services.gnmi.set import Set
from twinplane.services.gnmi.subscribe import Subscribe, Subscriber
from twinplane.services.gnmi.target import Target
from twinplane.services.rpc import Door, Limits, Service, stream, unary
from twinplane.services.view import Views
from twinplane_wire.gnmi import gnmi_pb2

NAME: str = gnmi_pb2.DESCRIPTOR.services_by_name["gNMI"].full_name


@dataclass(frozen=True, slots=True)
class Gnmi:
    """The four methods; one object serves all listeners."""

    capabilities: Capabilities
    get: Get
    set: Set
    subscribe: Subscribe
    views: Views

    def behind(self, door: Door) -> Service:
        """The service as one listener offers it."""
        door = replace(door, told=self.views.told)
        methods = {
            "Capabilities": unary(
                door, "Capabilities", Access.READ, gnmi_pb2.CapabilityRequest, self.capabilities
            ),
            "Get": unary(door, "Get", Access.READ, gnmi_pb2.GetRequest, self.get),
            "Set": unary(door, "Set", Access.WRITE, gnmi_pb2.SetRequest, self.set, large=True),
            "Subscribe": stream(door, "Subscribe", Access.READ, gnmi_pb2.SubscribeRequest, self.subscribe),
        }
        return grpc.method_handlers_generic_handler(NAME, methods)


def gnmi(
    target: Target,
    subscriber: Subscriber,
    limits: Limits,
    past: Past | None = None,
    *,
    require_arbitration: bool = False,
) -> Gnmi:
    """The service over a target, the subscribe room and, where history is served, what reads it."""
    views = Views(target.schemas)
    return Gnmi(
        Capabilities(target.schemas),
        Get(target, views, limits.answer_bytes),
        Set(target, require_arbitration=require_arbitration),
        Subscribe(target, views, subscriber, limits, past),
        views,
    )
