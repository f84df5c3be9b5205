"""Get: a snapshot (gNMI 3.3). One Notification for each path, one Update for each node that it selects."""

import asyncio
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema import encode as schema_encode
from twinplane.schema.annotation import annotated
from twinplane.schema.compile import Schemas
from twinplane.schema.resolve import expand
from twinplane.schema.table import NodeKind, SchemaNode, SchemaTable
from twinplane.services import codec, encode
from twinplane.services.auth import Caller
from twinplane.services.codec import Encoding
from twinplane.services.gnmi.extension import GET, of_read
from twinplane.services.gnmi.leaf import proto_leaves
from twinplane.services.gnmi.subset import Kind, Subset
from twinplane.services.gnmi.target import Target
from twinplane.services.view import View, Views
from twinplane.tree import query
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.prune import prune
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Path

REMEMBERED = 4096
LONGEST_REMEMBERED = 1024  # bytes; a client may put anything into a path, even what does not count


class Get:
    """Answers from the operational tree as it is, after what is polled was brought up to date."""

    def __init__(self, target: Target, views: Views, most_bytes: int) -> None:
        """No answer is longer than `most_bytes`, nor made to be."""
        self._target = target
        self._views = views
        self._most_bytes = most_bytes
        # Who reads, reads the same paths again and again.
        self._remembered = lru_cache(maxsize=REMEMBERED)(partial(_Asked, target.schemas))

    async def __call__(self, caller: Caller, request: gnmi_pb2.GetRequest) -> bytes:
        """The encoded GetResponse. Raises RequestError for the first path that cannot be answered."""
        depth = of_read(request.extension, GET).depth
        encoding = codec.encoding(request.encoding)
        kind = _kind(request.type)
        models = codec.check_models(self._target.schemas, request.use_models)
        prefix = request.prefix.SerializeToString()
        view = self._views.of(caller)
        asked: list[_Asked] = []
        for path in request.path or (gnmi_pb2.Path(),):
            asked.append(self._asked(prefix, path.SerializeToString()))
            if view is not None:
                asked[-1].authorise(view, caller)
            await _turn_of_others(len(asked))
        tree = self._target.operational
        await tree.fresh([found.path for one in asked for found in one.found])
        # All paths are answered from the same moment, whoever has a turn in between.
        moment = {one.origin: (tree.root(one.origin), tree.stamp()) for one in asked}
        annotation = self._target.transactor.annotation
        answer: list[bytes] = []
        size = 0
        for count, one in enumerate(asked, 1):
            subset = Subset(one.table, kind, models)
            content = one.answer(*moment[one.origin], encoding, subset, depth, annotation, view)
            answer.append(encode.field(encode.GET_NOTIFICATION, content))
            size += len(content)
            if size > self._most_bytes:
                raise RequestError(
                    Violation(
                        ROOT,
                        Fault.TOO_LARGE,
                        f"the answer has more than {self._most_bytes} bytes",
                        "ask for less, or use Subscribe ONCE",
                    )
                )
            await _turn_of_others(count)
        return b"".join(answer)

    def _asked(self, prefix: bytes, path: bytes) -> "_Asked":
        if len(prefix) + len(path) > LONGEST_REMEMBERED:
            return _Asked(self._target.schemas, prefix, path)
        return self._remembered(prefix, path)


async def _turn_of_others(count: int) -> None:
    """Let others go on after every few paths: many of them, or a few that select much, take their time."""
    if count % 4 == 0:
        await asyncio.sleep(0)


class _Asked:
    """One path of the request, resolved."""

    __slots__ = ("_concrete", "_prefix", "_skip", "_written", "found", "origin", "table")

    def __init__(self, schemas: Schemas, encoded_prefix: bytes, encoded_path: bytes) -> None:
        prefix, path = gnmi_pb2.Path.FromString(encoded_prefix), gnmi_pb2.Path.FromString(encoded_path)
        self._written = codec.absolute(prefix, path)
        self.origin = self._written.origin
        self.table = schemas.table(self.origin)
        self.found = expand(self.table, self._written)
        wild = is_wild(self._written)
        self._concrete = is_one_node(self.table, self._written, self.found[0].path)
        # The prefix is echoed where it names one node only: what is sent has no wildcards.
        shared = Path(self.found[0].path.elems[: len(prefix.elem)])
        if wild or not all_keys(self.table, shared):
            shared = ROOT
        self._skip = len(shared.elems)
        self._prefix = encode.path(shared.elems, prefix.origin or path.origin, prefix.target)

    def authorise(self, view: View, caller: Caller) -> None:
        """Refuse a path that names one node which the caller does not see, whether it is there or not.

        Raises:
            RequestError: DENIED.
        """
        if self._concrete:
            check_reached(view, caller, self.found[0].path)

    def answer(
        self,
        root: Container,
        now: int,
        encoding: Encoding,
        subset: Subset,
        depth: int,
        annotation: str,
        view: View | None,
    ) -> bytes:
        """The Notification; `depth` is how many levels below each node to give (0: all), `annotation` what
        belongs to the root of the default origin, `view` what the caller sees (None: everything).

        Raises:
            RequestError: NO_DATA.
        """
        updates: list[bytes] = []
        anything = False
        if self.origin or depth or subset.models or subset.kind not in (Kind.ALL, Kind.CONFIG):
            annotation = ""
        if view is not None and not view.reaches_all:
            annotation = ""
        for found in self.found:
            for path, there in self._nodes(root, found.path):
                node = there if view is None else view.part(path, there, root)
                if node is None or not has_data(node, found.node):
                    continue
                anything = True
                part = subset.of(node, found.node)
                if part is not None and depth:
                    part = prune(part, depth)
                if part is not None:
                    kept = "" if path.elems else annotation
                    updates += self._updates(path, part, found.node, encoding, subset, kept)
        if self._concrete and not anything:
            raise RequestError(Violation(self._written, Fault.NO_DATA, "nothing is there"))
        return encode.notification(now, self._prefix, updates)

    def _nodes(self, root: Container, path: Path) -> Iterable[tuple[Path, Node]]:
        if not self._concrete:
            return query.select(root, path)
        node = query.get(root, path)
        return () if node is None else ((path, node),)

    def _updates(
        self,
        path: Path,
        node: Node,
        schema: SchemaNode,
        encoding: Encoding,
        subset: Subset,
        annotation: str,
    ) -> Iterator[bytes]:
        below = encode.path(path.elems[self._skip :])
        match encoding:
            case Encoding.PROTO:
                for leaf_path, leaf, value in proto_leaves(node, schema, below):
                    if subset.wants(leaf):
                        yield encode.update(leaf_path, value)
            case _:
                ietf = encoding is Encoding.JSON_IETF
                text = annotated(schema_encode.encode(node, schema, ietf=ietf), annotation)
                yield encode.update(below, encode.json(text, ietf=ietf))


def check_reached(view: View, caller: Caller, path: Path) -> None:
    """Refuse to read one node that the caller does not see. Raises RequestError (DENIED)."""
    if not view.reaches(path):
        raise RequestError(Violation(path, Fault.DENIED, f"user {caller.name} may not read here"))


def is_wild(path: Path) -> bool:
    """Whether a path as written has a wildcard in the place of a name."""
    return any(elem.name in (query.ANY_NODE, query.ANY_DEPTH) for elem in path.elems)


def is_one_node(table: SchemaTable, written: Path, found: Path) -> bool:
    """Whether a path names one node and no set of nodes; `found` is what it was resolved to."""
    return not is_wild(written) and all_keys(table, found)


def has_data(node: Node, schema: SchemaNode) -> bool:
    """False for a container that is there only because it may be: without presence and without a leaf."""
    if isinstance(node, Container):
        if not schema.path or schema.presence:
            return True
        return any(has_data(child, schema.children[name]) for name, child in node.children.items())
    if isinstance(node, Entries):
        return bool(node.entries)
    return True


def all_keys(table: SchemaTable, path: Path) -> bool:
    """True when every list element of a resolved path has all its keys."""
    names: tuple[str, ...] = ()
    for elem in path.elems:
        names = (*names, elem.name)
        node = table.find(names)
        if node is not None and node.kind is NodeKind.LIST and len(elem.keys) < len(node.keys):
            return False
    return True


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise RequestError(Violation(ROOT, Fault.VALUE, f"type {number} is none of GetRequest")) from None
