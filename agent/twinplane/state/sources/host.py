"""The host itself as a source of facts: its name, when it booted, what it can do."""

import asyncio
import socket
from collections.abc import AsyncIterator
from uuid import UUID

from twinplane.hypervisor.process import boot_time
from twinplane.model.host import Capabilities
from twinplane.state.facts import Batch, HostFact

SOURCE = "host"
LOOK = 10.0  # seconds between two looks at the host's name, which has no event


class HostSource:
    """One fact, told again when the host's name has changed."""

    def __init__(self, instance: UUID, capabilities: Capabilities, *, look: float = LOOK) -> None:
        self._instance = instance
        self._capabilities = capabilities
        self._look = look
        # Read once: the kernel computes it from a clock that is being adjusted, so it would wander.
        self._boot_time = boot_time()

    async def batches(self) -> AsyncIterator[Batch]:
        """A complete batch, then one whenever the fact has changed. Never ends; raises OSError."""
        last: HostFact | None = None
        while True:
            fact = self._fact()
            if fact != last:
                last = fact
                yield Batch(SOURCE, (fact,), complete=True)
            await asyncio.sleep(self._look)

    async def everything(self) -> Batch:
        """The fact as it is now."""
        return Batch(SOURCE, (self._fact(),), complete=True)

    def _fact(self) -> HostFact:
        return HostFact(
            hostname=socket.gethostname(),
            boot_time=self._boot_time,
            capabilities=self._capabilities,
            instance_id=str(self._instance),
        )
