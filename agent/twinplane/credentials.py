"""The certificates and who can read them, while the agent runs: looked after hourly, reported as alarms."""

import asyncio
import datetime
import logging
from dataclasses import dataclass, field
from pathlib import Path

from twinplane import last_time
from twinplane.errors import StartError
from twinplane.identity import upkeep
from twinplane.identity.host_name import host_names
from twinplane.identity.issue import RELEASED
from twinplane.identity.permission import mend
from twinplane.identity.upkeep import Trouble
from twinplane.identity.user import read_users
from twinplane.state.raised import Raised

INTERVAL = 3600.0  # seconds between two looks at the age and the names of the certificates

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Credentials:
    """The files of one state directory. `used` says that an agent worked here before this one, `mutual` that
    clients come with certificates."""

    root: Path
    used: bool
    mutual: bool
    _troubles: dict[str, Trouble] = field(default_factory=dict)

    def look(self) -> None:
        """Mend and renew what is safe to, and take note of the rest. Blocks.

        Raises:
            StartError: TLS cannot be served with what is there, or others can change it.
        """
        for line in mend(self.root):
            log.warning("%s", line)
        troubles = []
        try:
            clients = self._clients()
        except StartError as error:
            # The certificates are looked after all the same; a start is refused where the users are read.
            clients, text = (), f"{error}; the agent will not start again like this"
            troubles.append(Trouble("users at the next start", "MAJOR", text, kind="USERS"))
        now = datetime.datetime.now(datetime.UTC)
        seen = max(RELEASED, last_time.moment(last_time.seen(self.root)))
        done = upkeep.ensure(
            self.root / "tls",
            host_names(),
            now,
            clients,
            seen=seen,
            used=self.used,
            mutual=self.mutual,
        )
        self.used = True
        if done.written:
            log.info("certificates written to %s: %s", self.root / "tls", ", ".join(done.written))
        troubles += done.troubles
        for trouble in troubles:
            if self._troubles.get(trouble.name) != trouble:
                log.warning("%s", trouble.text)
        self._troubles = {trouble.name: trouble for trouble in troubles}

    def _clients(self) -> tuple[str, ...]:
        """Whose certificate is made and renewed here: the first user's, while there is such a user."""
        return ("admin",) if "admin" in read_users(self.root / "users.toml") else ()

    async def serve(self, raised: Raised) -> None:
        """Report what was noted and look again each hour, until cancelled."""
        shown: set[str] = set()
        while True:
            for trouble in self._troubles.values():
                raised.set(trouble.name, trouble.kind, trouble.severity, trouble.text)
            for name in shown - self._troubles.keys():
                raised.clear(name)
            shown = set(self._troubles)
            await asyncio.sleep(INTERVAL)
            try:
                await asyncio.to_thread(self.look)
            except (StartError, OSError) as error:
                log.warning("%s", error)
                text = f"{error}; the agent will not start again like this"
                self._troubles = {"credentials": Trouble("credentials", "MAJOR", text)}
