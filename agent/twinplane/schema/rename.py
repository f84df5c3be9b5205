"""Nodes that got another name in a later version of our modules: what an older program stored still reads.

`migrations.toml` beside the modules lists them, oldest first.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path as File
from typing import Any

from twinplane.errors import StartError
from twinplane_wire.path import Path

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """A node's old and new schema path (RFC 7950, 6.5, without prefixes)."""

    old: Names
    new: Names

    def within(self, path: Path) -> bool:
        """Does it concern a node inside this object, wherever the list entry is?"""
        top = tuple(elem.name for elem in path.elems)
        return self.old[: len(top)] == top and len(self.old) > len(top)


def read_renames(directory: File) -> tuple[Rename, ...]:
    """What `migrations.toml` in the directory lists, oldest first; nothing where there is no such file.

    Raises:
        StartError: the file cannot be read or is no list of renames.
    """
    file = directory / "migrations.toml"
    try:
        rows = tomllib.loads(file.read_text()).get("rename", []) if file.exists() else []
        return tuple(Rename(_names(row["from"]), _names(row["to"])) for row in rows)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise StartError(f"{file} is no list of renames: {error!r}") from error


def renamed(path: Path, document: Any, renames: Iterable[Rename]) -> Any:
    """An object's JSON_IETF document with new names; members keep the module's name in front (RFC 7951, 4).

    Lists can be stepped through on the way to a node, but a node does not move from one list to another.
    """
    depth = len(path.elems)
    for rename in renames:
        if rename.within(path):
            shared = takewhile(lambda pair: pair[0] == pair[1], zip(rename.old, rename.new, strict=False))
            common = min(sum(1 for _ in shared), len(rename.old) - 1, len(rename.new) - 1)
            way = rename.old[depth:common]
            for parent in _reached(document, way):
                _move(parent, rename.old[depth + len(way) :], rename.new[depth + len(way) :])
    return document


def _names(path: str) -> Names:
    return tuple(path.strip("/").split("/"))


def _member(parent: dict[str, Any], name: str) -> str | None:
    """The member of this local name, whether or not a module stands in front."""
    return next((member for member in parent if member.rpartition(":")[2] == name), None)


def _reached(node: Any, way: Names) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for entry in node for found in _reached(entry, way)]
    if not isinstance(node, dict):
        return []
    if not way:
        return [node]
    member = _member(node, way[0])
    return [] if member is None else _reached(node[member], way[1:])


def _move(parent: dict[str, Any], old: Names, new: Names) -> None:
    holder = parent
    for name in old[:-1]:
        member = _member(holder, name)
        if member is None or not isinstance(holder[member], dict):
            return
        holder = holder[member]
    member = _member(holder, old[-1])
    if member is None:
        return
    module = member[: member.rfind(":") + 1]
    value = holder.pop(member)
    for name in new[:-1]:
        found = _member(parent, name) or name
        parent = parent.setdefault(found, {})
    parent.setdefault(f"{module}{new[-1]}", value)
