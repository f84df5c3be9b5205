"""Differences of configurations, plans and capacity as messages."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from twinplane.plan.step import Effect, Step
from twinplane.plan.text import line
from twinplane.schema.compile import Schemas
from twinplane.schema.encode import encode
from twinplane.services.config.wire import wire_path
from twinplane.share.ledger import Account
from twinplane.tree import forest as trees
from twinplane.tree.diff import ObjectChange, leaf_changes, reordered
from twinplane.tree.forest import Forest
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane.tree.query import get
from twinplane_wire.path import Path
from twinplane_wire.v1 import config_pb2 as pb


def difference(schemas: Schemas, before: Forest, after: Forest) -> Iterator[pb.Change]:
    """What leads from one configuration to another, leaf by leaf, object by object in path order."""
    return changed(schemas, trees.changes(before, after))


def changed(schemas: Schemas, objects: Iterable[ObjectChange]) -> Iterator[pb.Change]:
    """The leaves that differ in objects; a list of the user's in another order by its path, with the keys of
    its entries in order."""
    for one in objects:
        updates, deletes = leaf_changes(one.before, one.after, one.path)
        for path, value in updates:
            was = _leaf(one, path)
            kind = pb.Change.CREATED if was is None else pb.Change.CHANGED
            yield _change(schemas, path, kind, was, value)
        for path in deletes:
            yield _change(schemas, path, pb.Change.DELETED, _leaf(one, path), None)
        if one.before is not None and one.after is not None:
            for path in reordered(one.before, one.after, one.path):
                below = Path(path.elems[len(one.path.elems) :])
                before, after = (_order(get(root, below)) for root in (one.before, one.after))
                yield pb.Change(path=wire_path(path), kind=pb.Change.CHANGED, before=before, after=after)


def steps(planned: Sequence[Step]) -> Iterator[pb.Step]:
    """A plan, in order."""
    for step in planned:
        yield pb.Step(
            phase=step.phase.name,
            action=step.act.value,
            object=str(step.key),
            owner=wire_path(step.owner),
            effect=step.disturbance.name,
            text=line(step),
        )


def effects(planned: Sequence[Step], objects: Sequence[ObjectChange]) -> Iterator[pb.ObjectEffect]:
    """The worst that happens to each object that changes, or that steps belong to."""
    worst = dict.fromkeys((change.path for change in objects), Effect.NONE)
    for step in planned:
        path = Path(step.owner.elems[:2], step.owner.origin)
        worst[path] = max(worst.get(path, Effect.NONE), step.disturbance)
    for path in sorted(worst):
        yield pb.ObjectEffect(path=wire_path(path), effect=worst[path].name)


def capacity(accounts: Mapping[str, Account]) -> Iterator[pb.Capacity]:
    """What is left of each resource."""
    for name, account in accounts.items():
        yield pb.Capacity(
            resource=name,
            total=account.capacity,
            reserved=account.reserve,
            committed=account.committed,
            free=account.free,
        )


def _order(listed: Node | None) -> bytes:
    """The keys of the entries of a list: each by itself, or where there are several, together in an array."""
    keys = listed.entries if isinstance(listed, Entries) else ()
    order = [key[0] if len(key) == 1 else key for key in keys]
    return json.dumps(order, separators=(",", ":"), ensure_ascii=False).encode()


def _leaf(change: ObjectChange, path: Path) -> Leaf | None:
    """The leaf at a path in an object as it was."""
    below = Path(path.elems[len(change.path.elems) :])
    found = None if change.before is None else get(change.before, below)
    return None if isinstance(found, Container | Entries) else found


def _change(
    schemas: Schemas, path: Path, kind: pb.Change.Kind, before: Leaf | None, after: Leaf | None
) -> pb.Change:
    node = schemas.table(path.origin).at(path)
    return pb.Change(
        path=wire_path(path),
        kind=kind,
        before=b"" if before is None else encode(before, node, ietf=True),
        after=b"" if after is None else encode(after, node, ietf=True),
    )
