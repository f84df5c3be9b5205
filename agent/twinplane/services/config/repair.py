"""Reconcile: the host brought to what is configured, on demand."""

from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.plan.step import Effect
from twinplane.schema.resolve import expand
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.config import change
from twinplane.services.config.commit import SOURCE
from twinplane.services.config.error import error
from twinplane.services.config.target import Target
from twinplane.services.config.wire import refused
from twinplane.services.gnmi.get import is_one_node
from twinplane.services.permit import Permits
from twinplane.services.view import View, Views
from twinplane.transaction.demand import Demand, everything
from twinplane.tree.diff import objects
from twinplane.tree.forest import Forest
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, Path
from twinplane_wire.v1 import config_pb2 as pb


@dataclass(frozen=True, slots=True)
class Below:
    """Selects the objects that are at, above or below one of these paths, which may have wildcard keys."""

    paths: tuple[Path, ...]

    def __call__(self, forest: Forest) -> frozenset[Path]:
        return frozenset(
            path
            for origin in forest.trees
            for path, _ in objects(forest.tree(origin), origin)
            if any(_meets(pattern, path) for pattern in self.paths)
        )


class RepairMethods:
    """Repair on demand."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views
        self._permits = Permits(target.schemas)

    async def reconcile(self, caller: Caller, request: pb.ReconcileRequest) -> bytes:
        """Repair what is asked for. Raises what the transactor raises."""
        session = self._target.session(request.session_id, caller.name)
        most = Effect.LIVE
        if request.HasField("max_disruption"):
            if request.max_disruption not in pb.Effect.values():
                raise refused(Fault.VALUE, f"max_disruption {request.max_disruption} is none of Effect")
            most = Effect(request.max_disruption)
        view = self._views.of(caller)
        select = self._below(request, view, caller) if request.path else everything
        demand = Demand(
            author=caller.name,
            source=SOURCE,
            peer=caller.peer,
            select=select,
            most=most,
            dry_run=request.dry_run,
            permit=self._permits.of(caller),
            session=0 if session is None else session.number,
        )
        report = await self._target.transactor.reconcile(demand)
        steps = report.steps
        failed, waiting = report.failed, report.waiting
        if view is not None:
            steps = tuple(step for step in steps if view.reaches(step.owner))
            failed, waiting = (tuple(dict.fromkeys(map(view.told, each))) for each in (failed, waiting))
        return pb.ReconcileResponse(
            revision=report.revision,
            step=change.steps(steps),
            effect=change.effects(steps, ()),
            failed=map(error, failed),
            waiting=map(error, waiting),
        ).SerializeToString()

    def _below(self, request: pb.ReconcileRequest, view: View | None, caller: Caller) -> Below:
        paths = [codec.absolute(gnmi_pb2.Path(), message) for message in request.path]
        tables = [(path, self._target.schemas.table(path.origin)) for path in paths]
        found = [(table, path, one.path) for path, table in tables for one in expand(table, path)]
        for table, path, one in found:
            if view is not None and is_one_node(table, path, one) and not view.reaches(one):
                text = f"user {caller.name} may not repair this"
                raise RequestError(Violation(one, Fault.DENIED, text))
        return Below(tuple(one for _, _, one in found))


def _meets(pattern: Path, path: Path) -> bool:
    return pattern.origin == path.origin and all(
        _matches(mine, theirs) for mine, theirs in zip(pattern.elems, path.elems, strict=False)
    )


def _matches(pattern: Elem, elem: Elem) -> bool:
    keys = dict(elem.keys)
    return pattern.name == elem.name and all(value in ("*", keys.get(name)) for name, value in pattern.keys)
