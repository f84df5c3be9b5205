"""Configuration without the values that are their defaults (RFC 6243 section 3.2, "trim")."""

from twinplane.schema.table import SchemaNode
from twinplane.tree.node import Container, Entries, Node, same_node


def trimmed(container: Container, schema: SchemaNode) -> Container:
    """The container without configured leaves that hold their default; keys stay, state too."""
    children: dict[str, Node] = {}
    for name, child in container.children.items():
        known = schema.children[name]
        if isinstance(child, Container):
            kept: Node = trimmed(child, known)
            if isinstance(kept, Container) and not kept.children and not known.presence:
                continue
        elif isinstance(child, Entries):
            entries = {key: trimmed(entry, known) for key, entry in child.entries.items()}
            kept = Entries(child.key_names, entries, child.ordered)
        else:
            kept = child
            default = known.config and known.default is not None and name not in schema.keys
            if default and same_node(child, known.default):
                continue
        children[name] = kept
    return Container(children)
