"""users.toml read again on SIGHUP. What is wrong with it changes nobody, and is an alarm meanwhile."""

import logging
from collections.abc import Callable, Mapping

from twinplane.errors import StartError
from twinplane.identity.directory import Directory
from twinplane.identity.role import Role
from twinplane.identity.user import User
from twinplane.state.raised import Raised

KIND = "USERS"

log = logging.getLogger(__name__)


class Rereading:
    """Of one directory of users. Event loop only."""

    def __init__(self, users: Directory, check: Callable[[Mapping[str, User]], None], raised: Raised) -> None:
        """`check` logs what else is odd about users that were read."""
        self._users = users
        self._check = check
        self._raised = raised
        self._report()

    async def __call__(self) -> None:
        """Read the file and report what is wrong with it. Does not raise."""
        try:
            for line in await self._users.reread():
                log.warning("%s", line)
        except StartError as error:
            log.warning("the users stay as they were: %s", error)
            text = f"{error}; until then the users stay as they were; send the agent SIGHUP after it"
            self._raised.set("users", KIND, "MAJOR", text)
            return
        log.info("read %s again", self._users.path)
        self._raised.clear("users")
        self._check(self._users.users)
        self._report()

    def _report(self) -> None:
        if any(user.role is Role.ADMIN for user in self._users.users.values()):
            self._raised.clear("administrators")
            return
        text = (
            f"no user in {self._users.path} is an admin; only the socket run/admin.sock administers; "
            "`twinplane-agent user add NAME --role admin`"
        )
        self._raised.set("administrators", KIND, "WARNING", text)
