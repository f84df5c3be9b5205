"""Commits that have to be confirmed: the one that waits, until when, and what may be done meanwhile.

One state machine for both faces (gNMI commit-confirmed specification; RFC 6241 section 8.4)::

    nothing waits ──COMMIT──▶ a commit waits ──CONFIRM──▶ nothing waits, the final steps are done
                              │    ▲   │
                              └EXTEND  └──CANCEL, time is up, restart──▶ nothing waits, all as before

While a commit waits its final steps do: what it deletes is only put aside, so that it can be had back as it
was. The datastore knows of it from its commit point on; a commit that is found at start is taken back first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.plan.resource import Key, Resource
from twinplane.plan.step import Step
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.request import Act, Request
from twinplane.transaction.turn import Turns
from twinplane.transaction.work import Work
from twinplane.tree.forest import Forest
from twinplane_wire.path import ROOT


@dataclass(frozen=True, slots=True)
class Waiting:
    """A commit that waits: its client's name for it, its user, the one session that may decide about it (0:
    any), the configuration before it, what it did, and what the host holds of the objects concerned until it
    is confirmed. Its `number` stands for it in texts: whoever knows the name may decide about it."""

    name: str
    author: str
    session: int
    back: Forest
    work: Work
    held: Resources
    number: int = 0

    def desired(self, everything: Resources) -> Resources:
        """What the host is to hold now, where `everything` is what the configuration in force says."""
        others = {key: found for key, found in everything.items() if key not in self.work.after}
        return {**others, **self.held}


def held(before: Resources, reversible: Iterable[Step]) -> Mapping[Key, Resource]:
    """What the host holds after the steps of a plan that come before its commit point."""
    now = dict(before)
    for step in reversible:
        if step.after is None:
            now.pop(step.key, None)
        else:
            now[step.key] = step.after
    return now


class Confirmations:
    """The commit that waits, if any, and its timer. `expired` is called in a turn of the writer."""

    def __init__(self, turns: Turns, expired: Callable[[], Awaitable[None]]) -> None:
        self.waiting: Waiting | None = None
        self._turns = turns
        self._expired = expired
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0

    def check(self, request: Request) -> None:
        """Refuse what the state does not allow.

        Raises:
            RequestError: STATE, a commit waits or none does; VALUE, another one does; DENIED, it is for
                another session to decide about (RFC 6241 section 8.4.1), whichever face asks.
        """
        asked, waiting = request.confirm, self.waiting
        if asked is None or asked.act is Act.COMMIT:
            if waiting is not None and not request.dry_run:
                raise _refused(
                    Fault.STATE,
                    f"commit {waiting.number} of {waiting.author} waits for its confirmation",
                    "confirm or cancel it first",
                )
        elif waiting is None:
            raise _refused(Fault.STATE, "no commit waits for its confirmation")
        elif asked.name != waiting.name:
            raise _refused(Fault.VALUE, f"{asked.name!r} is not the name of the commit that waits")
        elif waiting.session not in (0, request.session):
            raise _refused(Fault.DENIED, f"commit {waiting.number} is for its own session to decide")

    def open(self, waiting: Waiting, seconds: float) -> None:
        """A commit waits, for so many seconds from now."""
        self.waiting = waiting
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        """The time starts anew."""
        self._stop()
        due = self._due

        async def expire() -> None:
            if (
                self._due == due
            ):  # else it was confirmed, cancelled or prolonged while this waited for its turn
                await self._expired()

        self._timer = self._turns.post_later(seconds, expire)

    def close(self) -> None:
        """Nothing waits any more."""
        self._stop()
        self.waiting = None

    def _stop(self) -> None:
        self._due += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _refused(fault: Fault, text: str, remedy: str = "") -> RequestError:
    return RequestError(Violation(ROOT, fault, text, remedy))
