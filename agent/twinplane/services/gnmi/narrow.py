"""A subscription as narrower ones: only what the schema says is wanted (gNMI 2.6, 3.5.1.2; Depth)."""

from collections.abc import Iterator
from functools import lru_cache

from twinplane.schema.table import Names, SchemaNode
from twinplane.services.gnmi.subset import Subset
from twinplane_wire.path import Elem, Path


def narrow(path: Path, node: SchemaNode, subset: Subset, levels: int = 0) -> Iterator[Path]:
    """Paths that together select the leaves of `subset` at or below `path`, which leads to `node`.

    With `levels` only those at most so many levels below it (an entry of a list is one level). Where all
    leaves are wanted that is the path itself; it may be none.
    """
    if subset.is_everything and not levels:
        yield path
        return
    for names in _wanted(node, subset, levels or -1):
        yield Path((*path.elems, *[Elem(name) for name in names]), path.origin)


@lru_cache(maxsize=1024)
def _wanted(node: SchemaNode, subset: Subset, levels: int) -> tuple[Names, ...]:
    """Names relative to the node; one empty tuple for all of it. Negative `levels` do not end."""
    if node.is_leaf:
        return ((),) if subset.wants(node) else ()
    if levels == 0:
        return ()
    found: list[Names] = []
    whole = True
    for child in node.children.values():
        if child.supported:
            parts = _wanted(child, subset, levels - 1)
            whole = whole and parts == ((),)
            found += [(child.name, *names) for names in parts]
    return ((),) if whole else tuple(found)
