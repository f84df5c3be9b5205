"""Guests that run as root: an alarm for as long as there are any, whoever started them."""

import asyncio
import logging
from pathlib import Path

from twinplane.errors import DriverError
from twinplane.hypervisor import process
from twinplane.hypervisor.embedded import Embedded
from twinplane.state.raised import Raised

log = logging.getLogger(__name__)

ALARM = "guests-as-root"
INTERVAL = 10.0  # seconds between two looks
NAMED = 10  # appliances in the text of the alarm
ROOT = 0


class Privilege:
    """`serve` keeps the alarm as the host is; one task runs it."""

    def __init__(self, hypervisor: Embedded, raised: Raised) -> None:
        self._connection = hypervisor.connection
        self._root = hypervisor.root
        self._raised = raised

    async def serve(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Raise, change or clear the alarm."""
        domains = await asyncio.to_thread(as_root, self._root.path)
        if not domains:
            self._raised.clear(ALARM)
            return
        who = _few(await self._titles(domains))
        why = self._root.warning or "guests run as root that were started before; stop and start them"
        self._raised.set(ALARM, "GUESTS_AS_ROOT", "MAJOR", f"{who}: {why}")

    async def _titles(self, domains: list[str]) -> list[str]:
        try:
            titles = {record.name: record.title for record in (await self._connection.domains()).records}
        except DriverError as error:
            log.warning("the names of guests that run as root could not be read: %s", error)
            titles = {}
        return sorted(titles.get(domain) or domain for domain in domains)


def as_root(root: Path) -> list[str]:
    """Domains of this libvirt root whose QEMU belongs to root. Blocks."""
    found: list[str] = []
    for domain, pid in process.guests(root).items():
        try:
            if Path(f"/proc/{pid}").stat().st_uid == ROOT:
                found.append(domain)
        except FileNotFoundError:
            continue  # ended meanwhile
    return sorted(found)


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
