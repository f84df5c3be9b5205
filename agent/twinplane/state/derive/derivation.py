"""The form of a derivation."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twinplane.model.host import Capabilities
from twinplane.state.section import Section
from twinplane.tree.node import Container, Leaf
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class Derivation:
    """Leaves that follow from leaves of many objects.

    `prefixes` are the lists whose entries are read, as schema paths. `contribute` takes from one object all
    that the result needs of it (None: nothing); `fold` makes sections of all contributions and of what the
    host can do (None: not known yet). Both are pure, and `fold` runs only when a contribution changed.
    """

    prefixes: tuple[tuple[str, ...], ...]
    contribute: Callable[[Path, Container], Hashable]
    fold: Callable[[Mapping[Path, Any], Capabilities | None], Iterable[Section]]


def leaf(node: Container, *names: str) -> Leaf | None:
    """The leaf at a relative path without lists, or None."""
    found: object = node
    for name in names:
        found = found.get(name) if isinstance(found, Container) else None
    return found if isinstance(found, str | int | bool | tuple) else None
