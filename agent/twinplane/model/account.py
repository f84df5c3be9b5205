"""The resources of the host that are promised to appliances: one row each, and one account.

Admission, the capacity of a plan and `/components` utilization all ask here, so they cannot disagree. A new
resource is a new row.
"""

from collections.abc import Callable
from dataclasses import dataclass

from twinplane.model.appliance import Appliance
from twinplane.model.host import Capabilities
from twinplane.share.ledger import BYTES, MILLICORES, Account, Unit


@dataclass(frozen=True, slots=True)
class HostResource:
    """A resource, all amounts in its `unit`: what a host has of it and keeps back for itself, what an
    appliance is promised and, on top, costs its host. `leaf` is where an appliance asks for it."""

    name: str
    unit: Unit
    leaf: tuple[str, ...]
    capacity: Callable[[Capabilities], int]
    reserve: Callable[[Capabilities], int]
    overhead: Callable[[Capabilities], int]
    promised: Callable[[Appliance], int]

    def charge(self, appliance: Appliance | None, host: Capabilities) -> int:
        """What an appliance takes of the account; nothing, where there is none."""
        return 0 if appliance is None else self.promised(appliance) + self.overhead(host)

    def account(self, host: Capabilities, promised: int, appliances: int) -> Account:
        """The account of a host with this many appliances, which are promised this much in all."""
        committed = promised + appliances * self.overhead(host)
        return Account(self.capacity(host), self.reserve(host), committed)


CPU = HostResource(
    name="cpu",
    unit=MILLICORES,
    leaf=("compute", "share", "config", "guarantee"),
    capacity=lambda host: host.cpus * 1000,
    reserve=lambda host: host.reserve_cpu,
    overhead=lambda _: 0,  # what the hypervisor needs counts as the guest's own
    promised=lambda appliance: appliance.cpu.guarantee or 0,
)
MEMORY = HostResource(
    name="memory",
    unit=BYTES,
    leaf=("memory", "config", "size"),
    capacity=lambda host: host.memory,
    reserve=lambda host: host.reserve_memory,
    overhead=lambda host: host.overhead,
    promised=lambda appliance: appliance.memory,
)

# In the order in which admission looks at them.
RESOURCES = (MEMORY, CPU)
