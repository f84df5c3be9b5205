"""What commands write: results for people or, with ``--output json``, for programs."""

import base64
import dataclasses
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, TextIO, TypeAlias
from urllib.parse import unquote

from rich.console import Console, RenderableType
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from twinplane_client import Path, Value

UNWRAPPED = 100_000  # columns of what is no terminal
COLOURED = 100_000  # characters of JSON that are worth the time
_ODD = re.compile(r"[^ -~\n]")


Output: TypeAlias = Literal["human", "json"]
"""For whom a command writes."""


def stdout() -> Console:
    """Where results go."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Where errors and remarks go."""
    return _console(sys.stderr)


def _console(file: TextIO) -> Console:
    # Nothing that a box says is markup, and only a terminal gets colours and lines of its own width.
    width = None if file.isatty() else UNWRAPPED
    return Console(file=file, width=width, markup=False, highlight=False, emoji=False, soft_wrap=True)


def show(output: Output, result: object, *human: RenderableType) -> None:
    """Write a result: as JSON, or the given forms of it."""
    if output == "json":
        print(json.dumps(plain(result), ensure_ascii=False, indent=2))
        return
    console = stdout()
    for one in human:
        if isinstance(one, str) or (isinstance(one, Text) and not console.is_terminal):
            print(one)  # at once, where Rich would look for places to wrap
        else:
            console.print(one)


def show_line(output: Output, result: object, human: RenderableType) -> None:
    """Write one item of a stream, at once."""
    if output == "json":
        print(json.dumps(plain(result), ensure_ascii=False), flush=True)
        return
    stdout().print(human)
    sys.stdout.flush()


def remark(output: Output, text: str) -> None:
    """Tell people something beside the result."""
    if output == "human":
        stderr().print(text)


def plain(value: Any) -> Any:
    """Results of the SDK as what `json` writes: paths and bytes as text, objects by their fields."""
    match value:
        case Path():
            return str(value)
        case Enum():
            return value.value
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case str() | int() | float() | None:
            return value
        case Iterable():
            return [plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return str(value)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """Aligned columns without lines, so that they can be cut and searched."""
    made = Table(box=None, pad_edge=False, header_style="bold", title=title or None, title_justify="left")
    for name in columns:
        made.add_column(name, overflow="fold")
    for row in rows:
        made.add_row(*(printable(str(cell)) for cell in row))
    return made


def printable(text: str) -> str:
    """The text with control characters written out: what others named must not steer a terminal."""
    return _ODD.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def document(value: Value) -> RenderableType:
    """JSON as people read it, in colours where that does not take long."""
    text = printable(json.dumps(plain(value), ensure_ascii=False, indent=2))
    return JSONHighlighter()(text) if stdout().is_terminal and len(text) < COLOURED else text


def caller(peer: str) -> str:
    """Where a call came from, as gRPC names it: there brackets of addresses are percent-encoded."""
    return unquote(peer)


def moment(time: int) -> str:
    """A time in ns since the epoch, as clocks here show it; nothing for 0."""
    if not time:
        return ""
    return datetime.fromtimestamp(time // 10**9, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
