"""A writer whose file has no room, in a process of its own: ``python -m doubles.cramped FOLDER MODE``.

MODE is ``limit`` (the process may not make files larger), ``full`` (FOLDER is on a file system of its own,
which is filled) or ``read-only`` (somebody who may only read the folder). Prints one JSON object.
"""

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any

from doubles import demo
from doubles.box import Box, furnish, started
from doubles.host import Host
from twinplane.errors import StartError, UnavailableError

NOBODY = 65534


@contextmanager
def limited(folder: FilePath) -> Iterator[None]:
    """No file may grow (RLIMIT_FSIZE; Python ignores SIGXFSZ, so that writes fail with EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in folder.glob("twinplane.db-wal"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def filled(folder: FilePath) -> Iterator[None]:
    """The file system is full."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    yield
    ballast.unlink()


async def write(folder: FilePath, mode: str) -> dict[str, Any]:
    """Ask for two changes without room, one of which needs effects, and again with room."""
    box = Box(folder, host=Host())
    furnish(box.host)
    errors = []
    async with started(box):
        await box.submit(demo.image(), demo.switch(demo.LAN))
        before, configured = box.host.snapshot(), box.configured
        described = demo.described(demo.LAN, "x" * 200)
        with (limited if mode == "limit" else filled)(folder):
            for change in (demo.everything(), described):
                try:
                    await box.submit(change)
                except UnavailableError as error:
                    errors.append(str(error))
        same = box.host.kernel == before and box.configured == configured
        await box.submit(demo.everything())
        await box.submit(described)
        revision = box.transactor.running.revision
    box.host.effects.clear()
    again = Box(folder, host=box.host)
    async with started(again):
        kept = again.configured == box.configured and again.host.effects == []
    return {"errors": errors, "same": same, "revision": revision, "kept": kept}


async def open_read_only(folder: FilePath) -> dict[str, Any]:
    """Start where nothing can be written."""
    box = Box(folder, host=Host())
    async with started(box):
        await box.submit(demo.image())
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    else:
        folder.chmod(0o500)
        (folder / "twinplane.db").chmod(0o400)
    try:
        await Box(folder, host=Host()).transactor.start()
    except StartError as error:
        return {"error": str(error)}
    return {"error": None}


if __name__ == "__main__":
    place = FilePath(sys.argv[1])
    told = open_read_only(place) if sys.argv[2] == "read-only" else write(place, sys.argv[2])
    print(json.dumps(asyncio.run(told)))
