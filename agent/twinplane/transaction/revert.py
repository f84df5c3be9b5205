"""Taking back a commit that was not confirmed: who asks for it, and how it is recorded.

A commit found at start, or one whose orderly end failed, is taken back in the datastore first; bringing the
host there is then the business of recovery, object by object.
"""

from collections.abc import Sequence
from dataclasses import replace

from twinplane.errors import StartError, UnavailableError
from twinplane.transaction.datastore import Pending, Running, Stored
from twinplane.transaction.journal import Status
from twinplane.transaction.record import Commit
from twinplane.transaction.request import Request
from twinplane.transaction.standing import Parts, Standing
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import Forest

TIMEOUT = "confirm-timeout"
RESTART = "confirm-restart"


def request(asked: Request, number: int) -> Request:
    """The request that the rollback of a commit is recorded under."""
    comment = asked.comment or f"commit {number} was cancelled"
    return replace(asked, edits=(), comment=comment, confirm=None, election=None)


def timeout(number: int, author: str) -> Request:
    """The request of nobody: the time of a user's commit is up."""
    return Request((), author, TIMEOUT, comment=f"commit {number} was not confirmed")


async def stored(parts: Parts, standing: Standing, pending: Pending, found: Stored) -> None:
    """Take back, at start, the commit that was found waiting.

    Raises:
        StartError: the datastore cannot be written.
    """
    comment = f"commit {pending.number} was not confirmed before a restart"
    asked = Request((), pending.author, RESTART, comment=comment)
    back = replace(standing.running.forest.changed(found.reverse), annotation=found.annotation_before)
    try:
        await record(parts, standing, asked, back, found.reverse)
    except UnavailableError as error:
        raise StartError(f"commit {pending.number} waits to be taken back: {error}") from error


async def record(
    parts: Parts, standing: Standing, asked: Request, back: Forest, changed: Sequence[ObjectChange]
) -> None:
    """The rollback commit alone. The journal row, if there is one, says PENDING from then on: what it names
    is to be as it was before, which is for recovery to see to.

    Raises:
        UnavailableError: the datastore cannot be written; nothing was changed.
    """
    number, time = standing.running.revision + 1, parts.clock.now_ns()
    commit = Commit(number, time, asked.author, asked.source, asked.peer, asked.comment)
    entry = None if standing.entry is None else replace(standing.entry, status=Status.PENDING)
    await parts.store.commit(commit, changed, entry, standing.modules, annotation=back.annotation)
    standing.running, standing.entry = Running(back, number, time), entry
