"""GetConfig and GetData (RFC 6241 section 7.1, RFC 8526 section 3.1.1)."""

from collections.abc import AsyncIterator, Iterable, Iterator

from twinplane.errors import Fault
from twinplane.schema.defaults import with_defaults
from twinplane.schema.resolve import Resolved, expand
from twinplane.schema.table import SchemaNode, SchemaTable
from twinplane.schema.trim import trimmed
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.config.store import Stores
from twinplane.services.config.target import Target
from twinplane.services.config.text import encoding, pieces
from twinplane.services.config.wire import only, refused
from twinplane.services.gnmi.subset import Kind, Subset
from twinplane.services.rpc import Write
from twinplane.services.view import View, Views
from twinplane.tree import edit, query
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.forest import Forest
from twinplane.tree.node import Container, Node
from twinplane.tree.prune import prune
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Path
from twinplane_wire.v1 import config_pb2 as pb

_KINDS = {
    pb.GetDataRequest.ALL: Kind.ALL,
    pb.GetDataRequest.CONFIG: Kind.CONFIG,
    pb.GetDataRequest.STATE: Kind.STATE,
}

_Found = tuple[Path, Node, SchemaNode, SchemaTable]


class ReadMethods:
    """Datastores as text."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views
        self._stores = Stores(target)

    async def config(
        self, caller: Caller, requests: AsyncIterator[pb.GetConfigRequest], write: Write
    ) -> None:
        """Running, a candidate, or running as it was after a commit. Raises RequestError."""
        request = await only(requests)
        session = self._target.session(request.session_id, caller.name)
        running = self._target.transactor.running
        if request.commit:
            if request.source not in (pb.DATASTORE_UNSPECIFIED, pb.RUNNING):
                raise refused(Fault.VALUE, "a commit is a state of running, not of another datastore")
            forest = await self._target.history.forest(request.commit, running)
        else:
            forest = self._stores.read(session, request.source or pb.RUNNING)
        await self._answer(
            caller, request, _Source(forest, request.with_defaults or pb.EXPLICIT), Kind.ALL, write
        )

    async def data(self, caller: Caller, requests: AsyncIterator[pb.GetDataRequest], write: Write) -> None:
        """Any datastore, configuration or state or both. Raises RequestError."""
        request = await only(requests)
        session = self._target.session(request.session_id, caller.name)
        kind = _KINDS.get(request.content)
        if kind is None:
            raise refused(Fault.VALUE, f"content {request.content} is none of GetDataRequest")
        if request.source not in (pb.DATASTORE_UNSPECIFIED, pb.OPERATIONAL):
            forest = self._stores.read(session, request.source)
            source = _Source(forest, request.with_defaults or pb.EXPLICIT)
        else:
            tree = self._target.operational
            origins = self._resolve(request.path)
            await tree.fresh([found.path for _, _, found in origins])
            running = self._target.transactor.running.forest
            state = Forest({origin: tree.root(origin) for origin, _, _ in origins})
            source = _Source(state, request.with_defaults or pb.REPORT_ALL, running)
        await self._answer(caller, request, source, kind, write)

    async def _answer(
        self,
        caller: Caller,
        request: pb.GetConfigRequest | pb.GetDataRequest,
        source: "_Source",
        kind: Kind,
        write: Write,
    ) -> None:
        form = encoding(request.encoding)
        view = self._views.of(caller)
        nodes = self._nodes(self._resolve(request.path), source, kind, request.depth, view)
        for piece in pieces(nodes, form, self._target.transactor.running.revision):
            await write(piece.SerializeToString())

    def _resolve(self, paths: Iterable[gnmi_pb2.Path]) -> list[tuple[str, SchemaTable, Resolved]]:
        found: list[tuple[str, SchemaTable, Resolved]] = []
        for wire in paths or (gnmi_pb2.Path(),):
            path = codec.absolute(gnmi_pb2.Path(), wire)
            table = self._target.schemas.table(path.origin)
            found += [(path.origin, table, one) for one in expand(table, path)]
        return found

    def _nodes(
        self,
        asked: Iterable[tuple[str, SchemaTable, Resolved]],
        source: "_Source",
        kind: Kind,
        depth: int,
        view: View | None,
    ) -> Iterator[_Found]:
        roots: dict[str, Container] = {}
        for origin, table, found in asked:
            if origin not in roots:
                roots[origin] = source.root(origin, table)
            for path, node in query.select(roots[origin], found.path):
                seen = node if view is None else view.part(path, node, roots[origin])
                part = None if seen is None else Subset(table, kind).of(seen, found.node)
                if part is not None and depth:
                    part = prune(part, depth)
                if part is None and not path.elems:
                    part = Container()
                if part is not None:
                    yield path, part, found.node, table


class _Source:
    """The trees that are read, with the defaults that are wanted. `explicit` is running, for trees that hold
    all values in use."""

    def __init__(self, forest: Forest, defaults: int, explicit: Forest | None = None) -> None:
        if defaults not in pb.WithDefaults.values():
            raise refused(Fault.VALUE, f"with_defaults {defaults} is none of WithDefaults")
        self._forest = forest
        self._defaults = defaults
        self._explicit = explicit

    def root(self, origin: str, table: SchemaTable) -> Container:
        """The tree of one origin."""
        root = self._forest.tree(origin)
        if self._defaults == pb.TRIM:
            return trimmed(root, table.root)
        if self._defaults == pb.REPORT_ALL:
            return root if self._explicit is not None else with_defaults(table, ROOT, root)
        if self._explicit is None:
            return root
        state = Subset(table, Kind.STATE).of(root, table.root)
        configured = Edit(Operation.UPDATE, ROOT, self._explicit.tree(origin))
        return edit.apply(
            state if isinstance(state, Container) else Container(), [configured], presence=table.presence
        )
