"""Parts of a tree by what the schema says of its leaves: configuration, state, models (gNMI 3.3.1, 2.6)."""

from dataclasses import dataclass
from enum import Enum

from twinplane.schema.table import SchemaNode, SchemaTable
from twinplane.tree.node import Container, Entries, Node


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
        """OPERATIONAL leaves out a leaf of `state` that `config` has too: that is applied configuration."""
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
                return not leaf.config and not self._mirrors(leaf)

    def of(self, node: Node, schema: SchemaNode) -> Node | None:
        """The node with only the wanted leaves below it, or None where none is.

        An entry that has something wanted keeps its key leaves, so that it can be told from others.
        """
        if self.is_everything:
            return node
        if isinstance(node, Container):
            return self._container(node, schema)
        if isinstance(node, Entries):
            return self._entries(node, schema)
        return node if self.wants(schema) else None

    def _mirrors(self, leaf: SchemaNode) -> bool:
        above = leaf.path[:-1]
        return above[-1:] == ("state",) and self.table.find((*above[:-1], "config", leaf.name)) is not None

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
                wanted = True
                children[name] = part
            elif name in schema.keys:
                children[name] = child
        if len(children) == len(node.children) and all(
            node.children[name] is child for name, child in children.items()
        ):
            return node  # with all that codecs keep with it
        return Container(children) if wanted else None
