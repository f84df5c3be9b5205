"""users.toml as a document: a regular file of a bounded size that holds valid TOML."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

from twinplane.errors import StartError

LARGEST = 1 << 20  # bytes; some thousands of users
_RESTORE = "restore it from a backup, or `twinplane-agent user add NAME --role admin`"


def read_document(path: Path) -> dict[str, Any]:
    """The tables of the file. Marks of byte order and ends of lines as other systems write them are as good
    as any. A file with nothing in it has lost something: it is not taken for an end of all users.

    Raises:
        StartError: it cannot be read, is empty, too large or not valid TOML; says what to do.
    """
    try:
        content = _content(path)
    except OSError as error:
        raise StartError(f"cannot read {path}: {error.strerror}; {_RESTORE}") from error
    if len(content) > LARGEST:
        raise StartError(f"{path} has more than {LARGEST} bytes; remove what is not needed from it")
    try:
        text = content.decode("utf-8-sig")
        if not text.strip():
            raise StartError(f"{path} is empty; {_RESTORE}")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise StartError(f"{path} is not valid TOML: {error}; write it in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise StartError(f"{path} is not valid TOML: {error}; correct it there") from error
    except RecursionError as error:
        raise StartError(f"{path} is nested too deeply; only [[user]] and revoked belong there") from error


def _content(path: Path) -> bytes:
    # Without waiting: a pipe that nobody writes would hold the agent up.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StartError(f"{path} is not a regular file; put one in its place")
        return file.read(LARGEST + 1)
