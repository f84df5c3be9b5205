"""Admission: are the promises of the resulting configuration kept by this host? Pure arithmetic.

What a deleted appliance's guest holds stays charged until the commit, for an undo must find it free: deleting
and creating on a full host takes two requests.
"""

from collections.abc import Callable, Iterator, Sequence

from twinplane.errors import Fault, Violation
from twinplane.model.appliance import AdminState, Appliance
from twinplane.model.host import Capabilities
from twinplane.model.index import Index, Touched, View, guarantee, memory
from twinplane.share.ledger import Account, shortfall

Asked = Callable[[Appliance | None], int]


def refusals(changes: Sequence[Touched], before: Index, host: Capabilities) -> Iterator[Violation]:
    """Every touched appliance that asks for more than it had and does not fit.

    `before` is the index of the configuration in force. Requests are served in path order; what was refused
    takes nothing from those after it.
    """
    pairs = [(_model(change.before), _model(change.after)) for change in changes]
    pairs = [(old, new) for old, new in pairs if old or new]
    committed = before.memory + before.appliances * host.overhead
    account = Account(host.memory, host.reserve_memory, committed)
    leaf = ("memory", "config", "size")
    yield from _short(pairs, account, memory, host.overhead, leaf)
    account = Account(host.cpus * 1000, host.reserve_cpu, before.cpu)
    yield from _short(pairs, account, guarantee, 0, ("compute", "share", "config", "guarantee"))


def _short(
    pairs: Sequence[tuple[Appliance | None, Appliance | None]],
    account: Account,
    asked: Asked,
    overhead: int,
    leaf: tuple[str, ...],
) -> Iterator[Violation]:
    def charge(appliance: Appliance | None) -> int:
        return 0 if appliance is None else asked(appliance) + overhead

    growing: list[tuple[Appliance | None, Appliance]] = []
    for old, new in pairs:
        if new is None:
            if old is not None and old.admin_state is AdminState.STOPPED:
                account = account.charge(-charge(old))
        elif charge(new) > charge(old):
            growing.append((old, new))
        else:
            account = account.charge(charge(new) - charge(old))
    for old, new in growing:
        without = account.charge(-charge(old))
        refusal = shortfall(without, asked(new), overhead)
        if refusal is None:
            account = without.charge(charge(new))
            continue
        path = new.path
        for name in leaf:
            path = path.child(name)
        yield Violation(path, Fault.CAPACITY, refusal)


def _model(view: View | None) -> Appliance | None:
    return view.model if view is not None and isinstance(view.model, Appliance) else None
