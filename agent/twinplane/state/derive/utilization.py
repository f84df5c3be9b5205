"""The accounts of the host as they stand: what of each resource is promised, free and used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from twinplane.model.account import CPU, MEMORY, HostResource
from twinplane.model.host import Capabilities
from twinplane.state.derive.derivation import Derivation, leaf
from twinplane.state.inventory import CHASSIS, component_path
from twinplane.state.section import Section
from twinplane.tree.node import Container
from twinplane_wire.path import Path

POLLED = (
    (
        "components",
        "component",
        "chassis",
        "utilization",
        "resources",
        "resource",
        "state",
        "used",
    ),
)

# Where an appliance's state says what it uses, and what its guest holds, which may outlive its configuration.
USED = {CPU.name: ("compute", "share", "state", "delivered"), MEMORY.name: ("memory", "state", "rss")}
HELD = {CPU.name: ("compute", "share", "state", "guarantee"), MEMORY.name: ("memory", "state", "size")}


@dataclass(frozen=True, slots=True)
class Charge:
    """What one appliance is promised (None: nothing of it is there) and what it uses.

    A guest without a configuration goes on holding what it has until it is gone: one that is put aside while
    the commit that deletes it is pending can be had back at any time.
    """

    promised: int | None
    used: int


def contribute(resource: HostResource, path: Path, node: Container) -> Charge:
    """What one appliance is promised and uses, in the unit of the resource."""
    del path
    used = _number(leaf(node, *USED[resource.name]))
    if node.get("config") is not None:
        return Charge(_number(leaf(node, *resource.leaf)), used)
    there = leaf(node, "state", "uuid") is not None  # the hypervisor has a guest, running or not
    return Charge(_number(leaf(node, *HELD[resource.name])) if there else None, used)


def fold(
    resource: HostResource, charges: Mapping[Path, Charge], host: Capabilities | None
) -> Iterator[Section]:
    """The row of the resource, in its unit."""
    if host is None:
        return
    promised = [charge.promised for charge in charges.values() if charge.promised is not None]
    account = resource.account(host, sum(promised), len(promised))
    rows = component_path(CHASSIS).child("chassis").child("utilization").child("resources")
    yield Section(
        rows.child("resource", ("name", resource.name)).child("state"),
        {
            "name": resource.name,
            "used": sum(charge.used for charge in charges.values()),
            "committed": account.committed,
            "free": max(0, account.free),
            "max-limit": max(0, account.capacity - account.reserve),
        },
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def derivation(resource: HostResource) -> Derivation:
    """The derivation of one row."""
    return Derivation((("appliances", "appliance"),), partial(contribute, resource), partial(fold, resource))
