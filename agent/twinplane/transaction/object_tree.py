"""Objects (path, node) put together into the trees they came from; pure.

Objects are those of `tree/diff.py`; the one at a top-level container's own path holds its loose leaves.
"""

from collections.abc import Iterable

from twinplane.tree.forest import Forest
from twinplane.tree.node import Container, Entries, Key, Node
from twinplane.tree.query import get
from twinplane_wire.path import Path


def graft(objects: Iterable[tuple[Path, Container]]) -> Forest:
    """The trees that hold exactly these objects, list entries in the order given."""
    origins: dict[str, list[tuple[Path, Container]]] = {}
    for path, node in objects:
        origins.setdefault(path.origin, []).append((path, node))
    return Forest({origin: _tree(mine) for origin, mine in origins.items()})


def _tree(objects: Iterable[tuple[Path, Container]]) -> Container:
    tops: dict[str, dict[str, Node | dict[Key, Container]]] = {}
    key_names: dict[tuple[str, str], tuple[str, ...]] = {}
    for path, node in objects:
        top, last = path.elems[0], path.elems[-1]
        children = tops.setdefault(top.name, {})
        if len(path.elems) == 1:
            children.update(node.children)
        elif last.keys:
            entries = children.setdefault(last.name, {})
            assert isinstance(entries, dict)
            entries[tuple(value for _, value in last.keys)] = node
            key_names[top.name, last.name] = tuple(name for name, _ in last.keys)
        else:
            children[last.name] = node
    return Container(
        {
            top: Container(
                {
                    name: Entries(key_names[top, name], child) if isinstance(child, dict) else child
                    for name, child in children.items()
                }
            )
            for top, children in tops.items()
        }
    )


def object_at(root: Container, path: Path) -> Container | None:
    """The object at a path of a tree, None where there is none."""
    node = get(root, path)
    if not isinstance(node, Container):
        return None
    if len(path.elems) > 1:
        return node
    loose = {
        name: child for name, child in node.children.items() if not isinstance(child, Container | Entries)
    }
    return Container(loose) if loose else None
