"""Admission: are the promises of the resulting configuration kept by this host? Pure arithmetic.

What a deleted appliance's guest holds stays charged until the commit, for an undo must find it free: deleting
and creating on a full host takes two requests. What a pending commit gives up stays charged until it is
confirmed.
"""

from collections.abc import Iterator, Sequence

from twinplane.errors import Fault, Violation
from twinplane.model.account import RESOURCES, HostResource
from twinplane.model.appliance import AdminState, Appliance
from twinplane.model.host import Capabilities
from twinplane.model.index import Index, Touched, View
from twinplane.share.ledger import Account, shortfall


def refusals(
    changes: Sequence[Touched], before: Index, host: Capabilities, *, revocable: bool = False
) -> Iterator[Violation]:
    """Every touched appliance that asks for more than it had and does not fit.

    `before` is the index of the configuration in force. Requests are served in path order; what was refused
    takes nothing from those after it.
    """
    pairs = [(_model(change.before), _model(change.after)) for change in changes]
    pairs = [(old, new) for old, new in pairs if old or new]
    for resource in RESOURCES:
        yield from _short(pairs, before.account(resource, host), resource, host, revocable)


def _short(
    pairs: Sequence[tuple[Appliance | None, Appliance | None]],
    account: Account,
    resource: HostResource,
    host: Capabilities,
    revocable: bool,
) -> Iterator[Violation]:
    growing: list[tuple[Appliance | None, Appliance]] = []
    for old, new in pairs:
        had, wanted = resource.charge(old, host), resource.charge(new, host)
        if new is not None and wanted > had:
            growing.append((old, new))
        elif revocable:
            continue
        elif new is None:
            if old is not None and old.admin_state is AdminState.STOPPED:
                account = account.charge(-had)
        else:
            account = account.charge(wanted - had)
    for old, new in growing:
        without = account.charge(-resource.charge(old, host))
        refusal = shortfall(without, resource.promised(new), resource.overhead(host), resource.unit)
        if refusal is None:
            account = without.charge(resource.charge(new, host))
            continue
        path = new.path
        for name in resource.leaf:
            path = path.child(name)
        yield Violation(path, Fault.CAPACITY, refusal)


def _model(view: View | None) -> Appliance | None:
    return view.model if view is not None and isinstance(view.model, Appliance) else None
