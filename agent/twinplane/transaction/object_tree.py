"""Objects (path, node) put together into the tree they came from; pure.

Objects are those of `tree/diff.py`; the one at a top-level container's own path holds its loose leaves.
"""

from collections.abc import Iterable

from twinplane.tree.node import Container, Entries, Key, Node
from twinplane_wire.path import Path


def graft(objects: Iterable[tuple[Path, Container]]) -> Container:
    """The root that holds exactly these objects, list entries in the order given."""
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
