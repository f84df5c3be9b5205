"""Parts of a tree by what the schema says of its leaves: configuration, state, models (gNMI 3.3.1, 2.6)."""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from twinplane.schema.table import SchemaNode, SchemaTable, TypeSpec
from twinplane.tree.node import Container, Entries, Leaf, Node, Scalar


class Kind(Enum):
    """The data types of a GetRequest, by their number on the wire."""

    ALL = 0
    CONFIG = 1
    STATE = 2
    OPERATIONAL = 3


@dataclass(frozen=True, slots=True)
class Subset:
    """Which leaves are wanted; `models` empty means of every module."""

    table: SchemaTable
    kind: Kind = Kind.ALL
    models: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """True when nothing is left out."""
        return self.kind is Kind.ALL and not self.models

    def wants(self, leaf: SchemaNode) -> bool:
        """OPERATIONAL is what the models mark so: derived from what runs, not applied configuration."""
        if self.models and leaf.module not in self.models:
            return False
        match self.kind:
            case Kind.ALL:
                return True
            case Kind.CONFIG:
                return leaf.config
            case Kind.STATE:
                return not leaf.config
            case Kind.OPERATIONAL:
                return not leaf.config and "operational" in leaf.extensions

    def of(self, node: Node, schema: SchemaNode) -> Node | None:
        """The node with only the wanted leaves below it, or None where none is.

        An entry that has something wanted keeps its key leaves, so that it can be told from others. A key
        that is repeated inside (``config/name``) is no reason of its own: state has rows that nobody
        configured.
        """
        if self.is_everything:
            return node
        if isinstance(node, Container):
            return self._container(node, schema)
        if isinstance(node, Entries):
            return self._entries(node, schema)
        if not self.wants(schema):
            return None
        return self._known(node, schema) if self.models else node

    def _known(self, leaf: Leaf, schema: SchemaNode) -> Leaf | None:
        """A leaf without values that another module adds to its type (gNMI 2.6)."""
        identities = identities_of(schema)
        if not identities:
            return leaf
        if isinstance(leaf, tuple):
            return tuple(value for value in leaf if self._mine(value, identities)) or None
        return leaf if self._mine(leaf, identities) else None

    def _mine(self, value: Scalar, identities: frozenset[str]) -> bool:
        return value not in identities or str(value).partition(":")[0] in self.models

    def _entries(self, node: Entries, schema: SchemaNode) -> Entries | None:
        kept = {
            key: part
            for key, entry in node.entries.items()
            if (part := self._container(entry, schema)) is not None
        }
        return Entries(node.key_names, kept, node.ordered) if kept else None

    def _container(self, node: Container, schema: SchemaNode) -> Container | None:
        if self.models:  # any client can make up a new set of them: not kept
            return self._select(node, schema)
        memo = node.memo
        if memo is None:
            memo = node.memo = {}
        slot = ("subset", self.kind)
        known = memo.get(slot)
        if known is not None and known[0] is schema:
            part: Container | None = known[1]
            return part
        part = self._select(node, schema)
        memo[slot] = (schema, part)
        return part

    def _select(self, node: Container, schema: SchemaNode) -> Container | None:
        children: dict[str, Node] = {}
        wanted = False
        for name, child in node.children.items():
            below = schema.children[name]
            part = self.of(child, below)
            if part is not None:
                wanted = wanted or not _repeated(schema, name)
                children[name] = part
            elif name in schema.keys:
                children[name] = child
        if not wanted and (children or not self.wants(schema)):
            return None  # a container that is there without children is data of its own kind
        if len(children) == len(node.children) and all(
            node.children[name] is child for name, child in children.items()
        ):
            return node  # with all that codecs keep with it
        return Container(children) if wanted else None


def _repeated(schema: SchemaNode, name: str) -> bool:
    """True for a key of an entry that its configuration or state says again."""
    return name in schema.keys and bool(schema.mirrors[schema.keys.index(name)])


@cache
def identities_of(leaf: SchemaNode) -> frozenset[str]:
    """The identities that a leaf's type may have as its value; empty for nearly all leaves."""

    def of(spec: TypeSpec) -> frozenset[str]:
        return frozenset(spec.identities).union(*map(of, spec.members))

    return frozenset() if leaf.type is None else of(leaf.type)
