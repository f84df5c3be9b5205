"""What a source sees beside transactions: the writer looks whether the host is still what is wanted."""

import asyncio
import logging

from twinplane.errors import DriverError, UnavailableError
from twinplane.transaction.transactor import Transactor
from twinplane_wire.path import Path

log = logging.getLogger(__name__)

PAUSE = 0.2  # seconds, for what happens together is seen one after the other
AGAIN = 10.0  # seconds until what could not be seen is looked at again: nothing may be heard of it by then


class Suspicions:
    """Objects that the host may differ in. `serve` has the writer look; one task runs it."""

    def __init__(self, pause: float = PAUSE, again: float = AGAIN) -> None:
        self._pause = pause
        self._again = again
        self._objects: set[Path] = set()
        self._heard = asyncio.Event()

    def heard(self, objects: frozenset[Path]) -> None:
        """Something was told about these that was not known."""
        self._objects |= objects
        self._heard.set()

    async def serve(self, transactor: Transactor) -> None:
        """Look at what was heard of, a moment later."""
        await transactor.recovered.wait()
        self._forget()  # recovery has looked at everything
        while True:
            await self._heard.wait()
            await asyncio.sleep(self._pause)
            objects = self._forget()
            try:
                await transactor.inspect(objects)
            except Exception as error:  # a fault of our own must not end the agent
                unforeseen = not isinstance(error, DriverError | UnavailableError)
                log.warning(
                    "whether the host is as configured could not be seen: %s", error, exc_info=unforeseen
                )
                asyncio.get_running_loop().call_later(self._again, self.heard, objects)

    def _forget(self) -> frozenset[Path]:
        self._heard.clear()
        objects, self._objects = frozenset(self._objects), set()
        return objects
