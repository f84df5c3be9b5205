"""The ledger: what of the host's processors and memory is promised, free and used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twinplane.model.host import Capabilities
from twinplane.share.ledger import Account
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

_RUNS = ("RUNNING", "PAUSED", "STOPPING")


@dataclass(frozen=True, slots=True)
class Charge:
    """What one appliance is promised (None: nothing of it is there) and what it uses.

    A guest without a configuration goes on holding what it has until it is gone: one that is put aside while
    the commit that deletes it waits for its confirmation can be had back at any time.
    """

    promised: int | None
    used: int


def contribute_cpu(path: Path, node: Container) -> Charge | None:
    """An appliance's guarantee and what was delivered to it, in millicores."""
    del path
    used = leaf(node, "compute", "share", "state", "delivered")
    if node.get("config") is not None:
        return Charge(_number(leaf(node, "compute", "share", "config", "guarantee")), _number(used))
    held = leaf(node, "compute", "share", "state", "guarantee")
    return Charge(_number(held) if _is_there(node) else None, _number(used))


def contribute_memory(path: Path, node: Container) -> Charge | None:
    """An appliance's memory, promised and held by its guest, in bytes."""
    del path
    size = _number(leaf(node, "memory", "state", "size"))
    runs = leaf(node, "state", "oper-status") in _RUNS
    if node.get("config") is not None:
        promised: int | None = _number(leaf(node, "memory", "config", "size"))
    else:
        promised = size if _is_there(node) else None
    return Charge(promised, size if runs else 0)


def fold_cpu(charges: Mapping[Path, Charge], host: Capabilities | None) -> Iterator[Section]:
    """The row `cpu`, in millicores."""
    if host is not None:
        committed = sum(charge.promised or 0 for charge in charges.values())
        yield _row("cpu", charges, Account(host.cpus, host.reserve_cpu, committed))


def fold_memory(charges: Mapping[Path, Charge], host: Capabilities | None) -> Iterator[Section]:
    """The row `memory`, in bytes; every appliance is charged for what the hypervisor itself needs for it."""
    if host is not None:
        committed = sum(
            charge.promised + host.overhead for charge in charges.values() if charge.promised is not None
        )
        yield _row("memory", charges, Account(host.memory, host.reserve_memory, committed))


def _row(name: str, charges: Mapping[Path, Charge], account: Account) -> Section:
    path = component_path(CHASSIS).child("chassis").child("utilization").child("resources")
    return Section(
        path.child("resource", ("name", name)).child("state"),
        {
            "name": name,
            "used": sum(charge.used for charge in charges.values()),
            "committed": account.committed,
            "free": max(0, account.free),
            "max-limit": max(0, account.capacity - account.reserve),
        },
    )


def _is_there(node: Container) -> bool:
    """Whether the hypervisor has a guest of an appliance, running or not."""
    return leaf(node, "state", "uuid") is not None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


CPU = Derivation((("appliances", "appliance"),), contribute_cpu, fold_cpu)
MEMORY = Derivation((("appliances", "appliance"),), contribute_memory, fold_memory)
