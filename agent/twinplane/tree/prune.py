"""A tree cut off below a number of levels."""

from twinplane.tree.node import Container, Entries, Node


def prune(node: Node, levels: int) -> Node | None:
    """The node with the leaves of its first `levels` levels, or None where it has none; a leaf is itself.

    An entry of a list is one level, as in a path. Containers and entries that hold nothing else are not kept.
    """
    if isinstance(node, Container):
        if levels == 0:
            return None
        children = {
            name: kept for name, child in node.children.items() if (kept := _child(child, levels)) is not None
        }
        return Container(children) if children else None
    if isinstance(node, Entries):
        entries = {
            key: kept
            for key, entry in node.entries.items()
            if isinstance(kept := prune(entry, levels), Container)
        }
        return Entries(node.key_names, entries, node.ordered) if entries else None
    return node


def _child(child: Node, levels: int) -> Node | None:
    return prune(child, levels - 1) if isinstance(child, Container | Entries) else child
