"""Leaves computed from leaves; one file per kind; pure.

A derivation names the objects it reads, takes one small value from each of them and folds these values into
sections. The tree runs it in the same pass as the change of an object, one level deep: no derivation reads
what another one gave.
"""

from twinplane.model.account import RESOURCES
from twinplane.state.derive import user, utilization
from twinplane.state.derive.derivation import Derivation

DERIVATIONS: tuple[Derivation, ...] = (user.USERS, *map(utilization.derivation, RESOURCES))

__all__ = ["DERIVATIONS", "Derivation"]
