"""Edits: what a write does to a tree. The one edit type of both northbound faces."""

from dataclasses import dataclass
from enum import Enum

from twinplane.tree.node import Container, Node
from twinplane_wire.path import Path


class Operation(Enum):
    """What an edit does at its path (gNMI 3.4; the config service adds RFC 8072 operations)."""

    DELETE = "delete"
    REPLACE = "replace"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Edit:
    """One operation on one path, resolved against the schema.

    `path` has bare names and canonical keys in schema order; only a DELETE may hold wildcards or leave keys
    out. `value` is None for DELETE, else the decoded payload (`Container` for a container or one entry,
    `Entries` for a list addressed without keys, a leaf otherwise). `entries` holds, for each keyed element of
    the path from left to right, the entry as it looks when the edit has to create it (key leaves and what
    mirrors them). `index` is the operation's place in its request, in application order.
    """

    operation: Operation
    path: Path
    value: Node | None = None
    entries: tuple[Container, ...] = ()
    index: int = 0
