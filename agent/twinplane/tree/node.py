"""The nodes of a data tree: containers, lists and leaves, never changed once built.

A leaf is a plain Python value. Its type follows the YANG type (RFC 7950 section 9): integers `int`,
boolean `bool`, decimal64 `Decimal`, binary `bytes`, empty `EMPTY`, all others `str` in canonical form
(enumeration and bits by name, identityref as ``module:NAME``). A leaf-list is a tuple of such values.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias


class Empty(Enum):
    """The only value of the YANG type empty."""

    EMPTY = "empty"


EMPTY = Empty.EMPTY

Scalar: TypeAlias = str | int | bool | bytes | Decimal | Empty
Leaf: TypeAlias = Scalar | tuple[Scalar, ...]
Key: TypeAlias = tuple[str, ...]


class Container:
    """A container, or one entry of a list (then its key leaves are among the children).

    `memo` is a place for codecs to keep the encoded form of this very node: nodes never change, so what
    is computed once stays right for as long as the node lives.
    """

    __slots__ = ("children", "memo")

    children: Mapping[str, "Node"]
    memo: dict[Any, Any] | None

    def __init__(self, children: Mapping[str, "Node"] = MappingProxyType({})) -> None:
        self.children = children
        self.memo = None

    def get(self, name: str) -> "Node | None":
        """The child of that name, or None."""
        return self.children.get(name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Container) and same(self.children, other.children)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Container({dict(self.children)!r})"


class Entries:
    """The entries of a list by key, in order of insertion.

    Where the user gives the order (`ordered`, RFC 7950 section 7.7.7), the same entries in another order are
    another value; elsewhere the order means nothing.
    """

    __slots__ = ("entries", "key_names", "memo", "ordered")

    key_names: tuple[str, ...]
    entries: Mapping[Key, Container]
    ordered: bool
    memo: dict[Any, Any] | None

    def __init__(
        self, key_names: tuple[str, ...], entries: Mapping[Key, Container], ordered: bool = False
    ) -> None:
        self.key_names = key_names
        self.entries = entries
        self.ordered = ordered
        self.memo = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Entries)
            and self.key_names == other.key_names
            and same(self.entries, other.entries)
            and (not (self.ordered or other.ordered) or list(self.entries) == list(other.entries))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Entries({self.key_names!r}, {dict(self.entries)!r})"


Node: TypeAlias = Container | Entries | Leaf


def same(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> bool:
    """Equality of two maps of nodes in which `True` and `1` differ: YANG has no such conversion."""
    if len(left) != len(right):
        return False
    for key, value in left.items():
        other = right.get(key)
        if value is not other and not same_node(value, other):
            return False
    return True


def same_node(left: Node | None, right: Node | None) -> bool:
    """Equality of two nodes, types of leaves included."""
    return type(left) is type(right) and left == right


def size(node: Node | None, most: int) -> int:
    """How many nodes there are below one; counted until there are `most`."""
    found, left = 0, [node]
    while left and found < most:
        match left.pop():
            case Container(children=below) | Entries(entries=below):
                found += len(below)
                left += [one for one in below.values() if isinstance(one, Container | Entries)]
            case _:
                pass
    return found


EMPTY_ROOT = Container()
