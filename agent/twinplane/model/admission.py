"""Admission: are the promises of the resulting configuration kept by this host? Pure arithmetic.

What a deleted appliance's guest holds stays charged until the commit, for an undo must find it free: deleting
and creating on a full host takes two requests. What a commit that waits for its confirmation gives up stays
charged until it has it.
"""

from collections.abc import Callable, Iterator, Sequence

from twinplane.errors import Fault, Violation
from twinplane.model.appliance import AdminState, Appliance
from twinplane.model.host import Capabilities
from twinplane.model.index import Index, Touched, View, guarantee, memory
from twinplane.share.ledger import BYTES, MILLICORES, Account, Unit, shortfall

Asked = Callable[[Appliance | None], int]


def refusals(
    changes: Sequence[Touched], before: Index, host: Capabilities, *, revocable: bool = False
) -> Iterator[Violation]:
    """Every touched appliance that asks for more than it had and does not fit.

    `before` is the index of the configuration in force. Requests are served in path order; what was refused
    takes nothing from those after it.
    """
    pairs = [(_model(change.before), _model(change.after)) for change in changes]
    pairs = [(old, new) for old, new in pairs if old or new]
    committed = before.memory + before.appliances * host.overhead
    account = Account(host.memory, host.reserve_memory, committed)
    leaf: tuple[str, ...] = ("memory", "config", "size")
    yield from _short(pairs, account, memory, host.overhead, BYTES, leaf, revocable)
    account = Account(host.cpus * 1000, host.reserve_cpu, before.cpu)
    leaf = ("compute", "share", "config", "guarantee")
    yield from _short(pairs, account, guarantee, 0, MILLICORES, leaf, revocable)


def _short(
    pairs: Sequence[tuple[Appliance | None, Appliance | None]],
    account: Account,
    asked: Asked,
    overhead: int,
    unit: Unit,
    leaf: tuple[str, ...],
    revocable: bool,
) -> Iterator[Violation]:
    def charge(appliance: Appliance | None) -> int:
        return 0 if appliance is None else asked(appliance) + overhead

    growing: list[tuple[Appliance | None, Appliance]] = []
    for old, new in pairs:
        if new is not None and charge(new) > charge(old):
            growing.append((old, new))
        elif revocable:
            continue
        elif new is None:
            if old is not None and old.admin_state is AdminState.STOPPED:
                account = account.charge(-charge(old))
        else:
            account = account.charge(charge(new) - charge(old))
    for old, new in growing:
        without = account.charge(-charge(old))
        refusal = shortfall(without, asked(new), overhead, unit)
        if refusal is None:
            account = without.charge(charge(new))
            continue
        path = new.path
        for name in leaf:
            path = path.child(name)
        yield Violation(path, Fault.CAPACITY, refusal)


def _model(view: View | None) -> Appliance | None:
    return view.model if view is not None and isinstance(view.model, Appliance) else None
