"""What this host is and can do, as a frozen value that planners and rules take as an argument."""

from dataclasses import dataclass
from enum import Enum

from twinplane.share.cpu import CORE_SHARES


class Accelerator(Enum):
    """How guests are executed."""

    KVM = "KVM"
    TCG = "TCG"


@dataclass(frozen=True, slots=True)
class Capability:
    """One feature of the host: whether it can be used and, if not, why and what would bring it."""

    name: str
    available: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The host as probed at start.

    `cpu` is in millicores (1000 per online CPU), `memory` in bytes; the reserves are what admission keeps
    back for the host itself. `overhead` is the memory charged per appliance on top of its size, `core_shares`
    what one guaranteed core weighs.
    """

    cpus: int
    memory: int
    reserve_cpu: int
    reserve_memory: int
    accelerator: Accelerator
    overhead: int
    features: tuple[Capability, ...] = ()
    core_shares: int = CORE_SHARES

    def lacks(self, name: str) -> bool:
        """True when the feature of that name was probed and cannot be used."""
        return any(feature.name == name and not feature.available for feature in self.features)

    def has(self, name: str) -> bool:
        """True when the feature of that name was probed and can be used."""
        return any(feature.name == name and feature.available for feature in self.features)
