"""What the transaction needs of a driver. Drivers conform to this without importing it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twinplane.plan.resource import Key, Noun, Resource


class Ownership(Enum):
    """Whose object stands under a name."""

    ABSENT = "absent"
    OWN = "own"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands under a key: whose it is and, where it is ours, the resource as read."""

    ownership: Ownership
    resource: Resource | None = None
    description: str = ""  # of a foreign object, for the message to the user


class Driver(Protocol):
    """Brings resources of one or several nouns to what is wanted. All methods raise `DriverError`.

    `ensure` reads, does what differs, reads back and returns what it read; run twice it does nothing the
    second time. It raises only if the read-back is not the wanted state. `wanted` None means absent.
    """

    @property
    def nouns(self) -> frozenset[Noun]:
        """The nouns this driver serves."""

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring the resource to `wanted`; return it as read back."""

    async def find(self, key: Key) -> Found:
        """What stands under this key now."""

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        """All own resources of these nouns, and those under `keys` that are there, marked or not."""
