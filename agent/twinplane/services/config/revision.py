"""What a caller believes running to be: a number, and what conflicts where it is another."""

from twinplane.errors import Fault, RequestError, Violation
from twinplane.services.config.target import Target
from twinplane.session.candidate import changed_leaves
from twinplane.transaction.datastore import Running
from twinplane.tree.forest import Forest
from twinplane_wire.path import ROOT, Path


def expect(revision: int, running: Running, conflicts: frozenset[Path] = frozenset()) -> None:
    """Refuse where running is at another revision than expected (0: any). Raises RequestError (CONFLICT) with
    the paths in conflict, where some are known."""
    if revision and revision != running.revision:
        text = f"running is at revision {running.revision}, not {revision}"
        raise RequestError(*(Violation(path, Fault.CONFLICT, text) for path in sorted(conflicts) or (ROOT,)))


async def conflicts(target: Target, revision: int, before: Forest, after: Forest) -> frozenset[Path]:
    """The leaves that differ between `before` and `after` and that others have changed since a revision; none
    where running is still at it, or it is not kept any more."""
    running = target.transactor.running
    if not revision or revision == running.revision:
        return frozenset()
    try:
        then = await target.history.forest(revision, running)
    except RequestError:
        return frozenset()
    return changed_leaves(then, running.forest) & changed_leaves(before, after)
