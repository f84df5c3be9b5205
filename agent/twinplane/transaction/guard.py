"""Nobody cuts himself off: a change to the host port that leads to its author has to be confirmed."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import unquote

from twinplane.errors import Fault, RequestError, Violation
from twinplane.transaction.reconcile import HOST_PORT
from twinplane.transaction.work import Work

# The devices that packets to an address go through, bridges and their ports; raises DriverError.
Towards: TypeAlias = Callable[[str], Awaitable[frozenset[str]]]

_PEER = re.compile(r"ipv[46]:\[?([^\]]+?)\]?:\d+")


class ManagementPath:
    """A guard (transaction/standing.py) over the kernel's routes."""

    def __init__(self, towards: Towards) -> None:
        self._towards = towards

    async def __call__(self, work: Work) -> None:
        """Refuse an unconfirmed change to a host port through which the kernel reaches the author.

        Raises:
            RequestError: STATE, with the objects that own the steps.
            DriverError: the routes cannot be read.
        """
        ports = {step.key.name: step for step in work.steps if step.key.noun in HOST_PORT}
        address = address_of(work.request.peer)
        if work.opens is not None or not ports or not address:
            return
        through = await self._towards(address)
        violations = tuple(
            Violation(
                step.owner,
                Fault.STATE,
                f"{name} carries the route to {address}, where this request comes from",
                "commit it confirmed, so that it is taken back should it cut you off",
            )
            for name, step in sorted(ports.items())
            if name in through
        )
        if violations:
            raise RequestError(*violations)


def address_of(peer: str) -> str:
    """The IP address in a peer as gRPC prints it (`ipv4:192.0.2.1:4711`, `ipv6:%5B::1%5D:4711`), with its
    zone if it has one; empty where there is no address."""
    found = _PEER.fullmatch(unquote(peer))
    return "" if found is None else found[1]
