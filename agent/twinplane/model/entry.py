"""Reading an object's entry: typed leaves at a fixed place below it. For `read` functions of this room.

The entry was judged by the schema and holds its defaults, so a leaf of another type is a mistake of the
program, not of a user: these functions raise TypeError for it.
"""

from collections.abc import Iterator

from twinplane.tree.node import Container, Entries, Key


def text(entry: Container, *names: str) -> str:
    """A mandatory leaf of a string-like type."""
    value = optional_text(entry, *names)
    if value is None:
        raise TypeError(f"{'/'.join(names)} is missing")
    return value


def optional_text(entry: Container, *names: str) -> str | None:
    """A leaf of a string-like type, or None."""
    value = _leaf(entry, names)
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{'/'.join(names)} is {value!r}, not a text")


def number(entry: Container, *names: str) -> int:
    """A mandatory integer leaf."""
    value = optional_number(entry, *names)
    if value is None:
        raise TypeError(f"{'/'.join(names)} is missing")
    return value


def optional_number(entry: Container, *names: str) -> int | None:
    """An integer leaf, or None."""
    value = _leaf(entry, names)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"{'/'.join(names)} is {value!r}, not a number")


def flag(entry: Container, *names: str) -> bool:
    """A mandatory boolean leaf."""
    value = _leaf(entry, names)
    if isinstance(value, bool):
        return value
    raise TypeError(f"{'/'.join(names)} is {value!r}, not a boolean")


def rows(entry: Container, *names: str) -> Iterator[tuple[Key, Container]]:
    """The entries of a list below the entry, in tree order; nothing where it is absent."""
    value = _leaf(entry, names)
    if isinstance(value, Entries):
        yield from value.entries.items()
    elif value is not None:
        raise TypeError(f"{'/'.join(names)} is {value!r}, not a list")


def _leaf(entry: Container, names: tuple[str, ...]) -> object:
    node: object = entry
    for name in names:
        if not isinstance(node, Container):
            return None
        node = node.children.get(name)
    return node
