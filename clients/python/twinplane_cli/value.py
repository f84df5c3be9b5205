"""Arguments that carry values: configuration as text, from a file or from stdin; paths; times."""

import json
import re
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path as File
from typing import Any, get_args
from xml.sax.saxutils import escape

from twinplane_cli.errors import CommandError
from twinplane_cli.option import LARGEST
from twinplane_client import Edit, Path, PathSyntaxError, Value, parse_path, split_assignment
from twinplane_client.config import Operation, TextEncoding, Where

_AGO = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Members of an edit in a file, with what they are when they are not given.
_MEMBERS = {"operation": None, "path": None, "value": None, "insert": "last", "point": None}


def path(text: str) -> Path:
    """A path from an argument. Raises CommandError."""
    try:
        return parse_path(text)
    except PathSyntaxError as error:
        raise CommandError(str(error), "write it like /interfaces/interface[name=eth0], in quotes") from None


def text(argument: str) -> bytes:
    """The text that an argument stands for: ``@FILE``, ``-`` for stdin, or itself. Raises OSError."""
    if argument == "-":
        return sys.stdin.buffer.read()
    return File(argument[1:]).read_bytes() if argument.startswith("@") else argument.encode()


def document(argument: str, encoding: TextEncoding) -> bytes:
    """Configuration as `text`. Raises CommandError where JSON is wanted and is not what is there."""
    found = text(argument)
    if encoding == "json":
        _json(found, argument)
    return found


def leaf(assignment: str) -> Edit:
    """The edit of ``PATH=TEXT``, for an Edit in XML: there the schema says what kind of value a text is.

    Raises:
        CommandError: no such assignment, or no leaf can be there.
    """
    try:
        where, value = split_assignment(assignment)
    except ValueError as error:
        raise CommandError(str(error), "write PATH=VALUE, in quotes") from None
    found = path(where)
    if not found.elems:
        raise CommandError(f"{where} is no leaf", "use 'twinplane edit merge'")
    name = found.elems[-1].name.rpartition(":")[2]
    body = escape(value, {"\r": "&#13;"})
    return Edit("merge", found, f"<{name}>{body}</{name}>".encode())


def assignment(argument: str) -> tuple[Path, Value]:
    """``PATH=JSON`` or ``PATH=@FILE``. Raises CommandError."""
    try:
        where, content = split_assignment(argument)
    except ValueError as error:
        raise CommandError(str(error), "write PATH=JSON, in quotes") from None
    return path(where), _json(text(content), content)


def edits(argument: str) -> list[Edit]:
    """Edits from a JSON list of objects with operation, path, value, insert and point.

    Raises:
        CommandError: it is something else.
    """
    listed = _json(text(argument), argument)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise CommandError(f"{argument} is no list of edits", _like())
    return [_edit(one) for one in listed]


def _edit(members: Mapping[str, Any]) -> Edit:
    unknown = sorted(set(members) - set(_MEMBERS))
    if unknown or not {"operation", "path"} <= set(members):
        wrong = f"has {', '.join(unknown)}" if unknown else "lacks operation or path"
        raise CommandError(f"the edit {json.dumps(members)} {wrong}", _like())
    given = {**_MEMBERS, **members}
    for name, choices in (("operation", get_args(Operation)), ("insert", get_args(Where))):
        if given[name] not in choices:
            raise CommandError(f"{name} {given[name]!r} is none of {', '.join(choices)}", _like())
    point = given["point"]
    return Edit(
        given["operation"],
        path(str(given["path"])),
        given["value"],
        given["insert"],
        None if point is None else path(str(point)),
    )


def _like() -> str:
    return 'each is like {"operation": "merge", "path": "/a/b", "value": {"c": 1}}'


def _json(found: bytes, argument: str) -> Any:
    try:
        return json.loads(found)
    except ValueError as error:
        remedy = "text needs JSON's quotes; @FILE reads a file, - stdin; 'edit set' needs no quotes"
        raise CommandError(f"{argument} is no JSON: {error}", remedy) from None


def since(argument: str) -> int:
    """A time in ns since the epoch, from ISO 8601 (local where it has no zone) or an age like 10m.

    Raises:
        CommandError: it is neither.
    """
    ago = _AGO.fullmatch(argument)
    if ago is not None:
        found = time.time_ns() - int(ago[1]) * _SECONDS[ago[2]] * 10**9
    else:
        try:
            found = int(datetime.fromisoformat(argument).astimezone().timestamp() * 1e9)
        except (ValueError, OverflowError):
            remedy = "write 10m, 2h, 1d or 2030-01-31T12:00:00"
            raise CommandError(f"{argument!r} is no time", remedy) from None
    return max(0, min(found, LARGEST))
