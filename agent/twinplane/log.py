"""Logging: one line per event on standard error, with what is being worked on as context."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("twinplane_log_context", default=())


@contextmanager
def context(**items: str) -> Iterator[None]:
    """Add fields (transaction, user, path, …) to every line logged inside."""
    token = _context.set((*_context.get(), *items.items()))
    try:
        yield
    finally:
        _context.reset(token)


class _Fields(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.fields = "".join(f" {name}={value}" for name, value in _context.get())
        return True


# What ends a line somewhere or steers a terminal, as Python would write it in a literal.
_ESCAPED = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
}


class _OneLine(logging.Formatter):
    """Messages hold what clients wrote (paths, values), which must not look like lines of ours."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        return super().formatMessage(record).translate(_ESCAPED)


def configure(level: str) -> None:
    """Log to standard error from `level` up."""
    stream = logging.StreamHandler(sys.stderr)
    stream.addFilter(_Fields())
    stream.setFormatter(
        _OneLine("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s%(fields)s", "%H:%M:%S")
    )
    root = logging.getLogger("twinplane")
    root.handlers[:] = [stream]
    root.setLevel(level)
    root.propagate = False
