"""The schema as a compact table: what every node is, found by path; no YANG library behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from twinplane.tree.node import Leaf
from twinplane_wire.path import Path

Names = tuple[str, ...]

SECRET = "secret"  # the extension of leaves that only who may write them sees


class NodeKind(Enum):
    """The kinds of data node (RFC 7950 section 7); choices and cases are dissolved."""

    CONTAINER = "container"
    LIST = "list"
    LEAF = "leaf"
    LEAF_LIST = "leaf-list"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a string type: a Python expression that the whole value has to match (or must not)."""

    expression: str
    text: str
    invert: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TypeSpec:
    """A type with everything that its typedefs add, down to one of the built-in types (`base`).

    `identities` are ``module:NAME``; `target` is the schema path a leafref points at and `members` holds the
    one type found there; for a union `members` are its member types in order. `ranges` and `lengths` are
    closed intervals, in units of the value itself (decimal64: scaled by ten to the `fraction_digits`).
    `canonical` names the typedef of RFC 6991, if any, that says which of several spellings is canonical.
    """

    base: str
    enums: Names = ()
    bits: Names = ()
    identities: Names = ()
    members: tuple["TypeSpec", ...] = ()
    fraction_digits: int = 0
    target: Names = ()
    ranges: tuple[tuple[int, int], ...] = ()
    range_message: str = ""
    lengths: tuple[tuple[int, int], ...] = ()
    length_message: str = ""
    patterns: tuple[Pattern, ...] = ()
    canonical: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SchemaNode:
    """One data node of the schema. Two nodes are equal only if they are the same one.

    `choices` are the (choice, case) pairs the node lies in, outermost first; `choice_defaults` the default
    cases of the choices directly below it; `rivals` the siblings that vanish when this node is set.
    `mirrors` holds for each key of a list where its value is repeated inside the entry (``config/name``), or
    an empty tuple. `units` and `extensions` (by bare name) are as written; an extension that stands on a
    container and means its leaves is found on the leaves.
    """

    name: str
    module: str
    kind: NodeKind
    config: bool = True
    path: Names = ()
    children: Mapping[str, "SchemaNode"] = field(default_factory=dict, repr=False)
    keys: Names = ()
    mirrors: tuple[Names, ...] = ()
    type: TypeSpec | None = None
    default: Leaf | None = None
    mandatory: bool = False
    presence: bool = False
    user_ordered: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    choice_defaults: tuple[tuple[str, str], ...] = ()
    rivals: Names = ()
    units: str = ""
    description: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    supported: bool = True

    @property
    def is_leaf(self) -> bool:
        """True for a leaf or a leaf-list."""
        return self.kind is NodeKind.LEAF or self.kind is NodeKind.LEAF_LIST

    @property
    def is_secret(self) -> bool:
        """True for a leaf that only who may write it sees."""
        return self.is_leaf and SECRET in self.extensions


@dataclass(frozen=True, slots=True)
class Module:
    """A loaded module; `version` is its semantic version or, without one, its revision date."""

    name: str
    organization: str
    version: str
    revision: str
    namespace: str
    implemented: bool = True


class SchemaTable:
    """All data nodes of one origin.

    `digest` changes whenever a text among the modules does. `leafrefs` maps the schema path of every
    configured reference to another object to the schema path of the list it points into. `presence` are the
    schema paths of containers that mean something empty, `ordered` those of lists and leaf-lists whose order
    is the user's, `secrets` those of secret leaves and of whatever holds one.
    """

    __slots__ = (
        "_aliases", "_index", "digest", "leafrefs", "modules", "ordered", "origin", "presence", "root",
        "secrets",
    )  # fmt: skip

    def __init__(
        self,
        origin: str,
        root: SchemaNode,
        modules: tuple[Module, ...],
        aliases: Mapping[str, frozenset[str]],
        digest: str,
    ) -> None:
        self.origin = origin
        self.root = root
        self.modules = modules
        self.digest = digest
        self._aliases = aliases
        self._index: dict[Names, SchemaNode] = {node.path: node for node in walk(root)}
        self.presence = frozenset(node.path for node in self._index.values() if node.presence)
        self.ordered = frozenset(node.path for node in self._index.values() if node.user_ordered)
        self.secrets = frozenset(
            node.path[:depth]
            for node in self._index.values()
            if node.is_secret
            for depth in range(len(node.path) + 1)
        )
        self.leafrefs: Mapping[Names, Names] = {
            node.path: target[:2]
            for node in self._index.values()
            for target in _targets(node)
            if node.config and self._is_object_key(target)
        }

    @property
    def roots(self) -> Mapping[str, SchemaNode]:
        """The top-level nodes by name."""
        return self.root.children

    def find(self, names: Names) -> SchemaNode | None:
        """The node at a schema path of bare names, or None; the empty path is the root."""
        return self._index.get(names)

    def at(self, path: Path) -> SchemaNode:
        """The node that a resolved path names. Raises KeyError where the schema has none."""
        return self._index[tuple([elem.name for elem in path.elems])]

    def object_path(self, path: Path) -> Path | None:
        """The object that `path` lies in or names: an entry of the list just below a top-level container, or
        another child of such a container. None where the path ends above, or names the list without keys.
        """
        if len(path.elems) < 2:
            return None
        first, second = path.elems[:2]
        node = self._index.get((first.name, second.name))
        if node is None or (node.kind is NodeKind.LIST and len(second.keys) < len(node.keys)):
            return None
        return path if len(path.elems) == 2 else Path(path.elems[:2], path.origin)

    def leaves(self) -> Iterator[SchemaNode]:
        """Every leaf and leaf-list, in schema order."""
        return (node for node in self._index.values() if node.is_leaf)

    def nodes(self) -> Iterator[SchemaNode]:
        """Every node below the root, parents before children."""
        return (node for names, node in self._index.items() if names)

    def is_module(self, written: str, module: str) -> bool:
        """True when a client may write `written` for `module`: its name, or one of its input aliases."""
        return written == module or module in self._aliases.get(written, ())

    def _is_object_key(self, target: Names) -> bool:
        node = self._index.get(target[:2])
        return len(target) == 3 and node is not None and target[2] in node.keys


def walk(node: SchemaNode) -> Iterator[SchemaNode]:
    """The node and everything below it, parents first."""
    yield node
    for child in node.children.values():
        yield from walk(child)


def _targets(node: SchemaNode) -> Iterator[Names]:
    pending = [node.type] if node.type else []
    while pending:
        spec = pending.pop()
        if spec.base == "leafref":
            yield spec.target
        elif spec.base == "union":
            pending.extend(spec.members)
