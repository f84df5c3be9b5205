"""Configuration in the operational tree: one object's intent exchanged for another, state left as it is.

Both live in the same nodes (an entry holds `config` and `state`), so what is taken away is what the old
configuration had, and nothing else.
"""

from twinplane.tree.node import Container, Entries, Key, Node


def exchanged(there: Node | None, before: Node | None, after: Node | None) -> Node | None:
    """The node `there` with what `after` configures in the place of what `before` did; None where nothing is
    left. Nodes of the configuration are copied: what codecs keep with a node belongs to one path only."""
    if before is after and there is not None:
        return there
    if isinstance(after, Container):
        return _container(there, before, after)
    if isinstance(after, Entries):
        return _entries(there, before, after)
    if after is not None:
        return after
    if isinstance(there, Container) and isinstance(before, Container):
        left = _container(there, before, Container())
        return left if left.children else None
    if isinstance(there, Entries) and isinstance(before, Entries):
        rest = _entries(there, before, Entries(before.key_names, {}, before.ordered))
        return rest if rest.entries else None
    return None


def bare(entry: Container, key_names: tuple[str, ...]) -> bool:
    """True for an entry that holds nothing but its keys."""
    return entry.children.keys() <= set(key_names)


def _container(there: Node | None, before: Node | None, after: Container) -> Container:
    children = dict(there.children) if isinstance(there, Container) else {}
    old = before.children if isinstance(before, Container) else {}
    for name, gone in old.items():
        if name not in after.children:
            _set(children, name, exchanged(children.get(name), gone, None))
    for name, wanted in after.children.items():
        _set(children, name, exchanged(children.get(name), old.get(name), wanted))
    return Container(children)


def _entries(there: Node | None, before: Node | None, after: Entries) -> Entries:
    entries = dict(there.entries) if isinstance(there, Entries) else {}
    old = before.entries if isinstance(before, Entries) else {}
    for key, gone in old.items():
        if key not in after.entries and (entry := entries.pop(key, None)) is not None:
            left = without(entry, gone, after.key_names)
            if left is not None:
                entries[key] = left
    for key, wanted in after.entries.items():
        entries[key] = _container(entries.get(key), old.get(key), wanted)
    if after.ordered:
        order: list[Key] = [*after.entries, *(key for key in entries if key not in after.entries)]
        entries = {key: entries[key] for key in order}
    return Entries(after.key_names, entries, after.ordered)


def without(entry: Container, gone: Container, key_names: tuple[str, ...]) -> Container | None:
    """An entry without its configuration, None where only its keys would be left."""
    left = _container(entry, gone, Container())
    if bare(left, key_names):
        return None
    keys = {name: node for name, node in entry.children.items() if name in key_names}
    return Container({**keys, **left.children})


def _set(children: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        children.pop(name, None)
    else:
        children[name] = node
