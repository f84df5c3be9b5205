"""What the transaction needs of a driver. Drivers conform to this without importing it."""

from collections.abc import Iterable
from typing import Protocol

from twinplane.plan.resource import Found, Key, Noun, Ownership, Resource

__all__ = ["Driver", "Found", "Ownership"]


class Driver(Protocol):
    """Brings resources of one or several nouns to what is wanted. All methods raise `DriverError`.

    `ensure` reads, does what differs, reads back and returns what it read; run twice it does nothing the
    second time. It raises only if the read-back is not the wanted state. `wanted` None means absent.

    Ownership is the caller's business: `ensure` acts on what stands under the key, marked or not (an object
    may have been made and not yet marked when the process died); `find` tells whose it is beforehand.

    Two states are asked for and not awaited. `Domain(run=STOPPED)` of an active guest sends the request to
    stop and returns what was read back (still active); with ``stop_timeout=0`` the guest is ended at once and
    the read-back must be STOPPED. A `Plug` or `Link` of an absent device is no error: it returns None.
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
