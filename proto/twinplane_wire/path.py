"""gNMI paths: immutable, hashable, with the textual form of the gNMI path-strings convention.

Standard library only: the tree, the schema and the clients all speak these two types.
"""

from typing import NamedTuple

# What is escaped in a name, and in the value of a key.
_IN_NAME = str.maketrans({char: "\\" + char for char in "/[\\"})
_IN_VALUE = str.maketrans({char: "\\" + char for char in "]\\"})


class PathSyntaxError(ValueError):
    """A path text that cannot be read; the message names the position."""


class Elem(NamedTuple):
    """One path element: a node name and, for a list entry, its keys as (name, text) pairs."""

    name: str
    keys: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        name = self.name.translate(_IN_NAME)
        if not self.keys:
            return name
        return name + "".join([f"[{key}={value.translate(_IN_VALUE)}]" for key, value in self.keys])


class Path(NamedTuple):
    """An absolute path from the root of one origin ("" is the default origin)."""

    elems: tuple[Elem, ...] = ()
    origin: str = ""

    def __str__(self) -> str:
        text = "/" + "/".join([str(elem) for elem in self.elems])
        return f"{self.origin}:{text}" if self.origin else text

    def child(self, name: str, *keys: tuple[str, str]) -> "Path":
        """The path one element further down."""
        return Path((*self.elems, Elem(name, keys)), self.origin)

    def join(self, elems: tuple[Elem, ...]) -> "Path":
        """The path that continues with the given elements."""
        return Path(self.elems + elems, self.origin)

    def is_prefix_of(self, other: "Path") -> bool:
        """True when `other` is this path or lies below it (same origin, equal keys)."""
        return self.origin == other.origin and other.elems[: len(self.elems)] == self.elems


ROOT = Path()


def parse(text: str) -> Path:
    r"""Read a path such as ``/interfaces/interface[name=eth0]/state``.

    An optional ``origin:`` may stand before the first slash. Inside brackets ``\]`` and ``\\`` are
    escapes; outside, ``\/`` is a slash that belongs to the name (gNMI path-strings).

    Raises:
        PathSyntaxError: an empty name, an unclosed bracket or a key without ``=``.
    """
    origin = ""
    start = text.find("/")
    colon = text.find(":")
    if 0 < colon < start or (colon > 0 and start < 0 and text.endswith(":")):
        origin, text = text[:colon], text[colon + 1 :]
    if text in ("", "/"):
        return Path((), origin)
    position = 1 if text.startswith("/") else 0
    elems: list[Elem] = []
    while position < len(text):
        elem, position = _parse_elem(text, position)
        elems.append(elem)
        if position < len(text):
            position += 1  # the slash that ended the element
            if position == len(text):
                break  # one trailing slash is harmless
    return Path(tuple(elems), origin)


def _parse_elem(text: str, position: int) -> tuple[Elem, int]:
    start = position
    name, position = _take(text, position, "/[")
    if not name:
        raise PathSyntaxError(f"empty element name at position {start} of {text!r}")
    keys: list[tuple[str, str]] = []
    while position < len(text) and text[position] == "[":
        key, position = _take(text, position + 1, "=]")
        if position >= len(text) or text[position] != "=" or not key:
            raise PathSyntaxError(f"expected [key=value] at position {position} of {text!r}")
        value, position = _take(text, position + 1, "]")
        if position >= len(text):
            raise PathSyntaxError(f"unclosed '[' in {text!r}")
        keys.append((key, value))
        position += 1
    if position < len(text) and text[position] != "/":
        raise PathSyntaxError(f"unexpected {text[position]!r} at position {position} of {text!r}")
    return Elem(name, tuple(keys)), position


def _take(text: str, position: int, stops: str) -> tuple[str, int]:
    out: list[str] = []
    while position < len(text) and text[position] not in stops:
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        out.append(text[position])
        position += 1
    return "".join(out), position
