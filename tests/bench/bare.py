"""The floors on the wire: handlers that do nothing but answer. `python -m bench.bare FOLDER`.

`/bare/Get` returns the content of the file it is asked for; `/bare/Commit` makes one durable commit of as
many bytes as it gets; `/bare/Stream` writes the messages of a file, again and again.
"""

import asyncio
import itertools
import json
import pickle
import sqlite3
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import grpc

from bench.process import obey


@cache
def content(file: str) -> bytes:
    """A file's bytes, read once."""
    return Path(file).read_bytes()


@cache
def messages(file: str) -> tuple[bytes, ...]:
    """Ready messages."""
    return tuple(pickle.loads(content(file)))


class Bare:
    """The handlers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._db: sqlite3.Connection | None = None

    async def get(self, request: bytes, _: object) -> bytes:
        """The content of the file named in the request."""
        return content(request.decode())

    async def commit(self, request: bytes, _: object) -> bytes:
        """One commit, safe from a loss of power, in a thread that waits for the disk."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, request)
        return b""

    async def stream(self, requests: AsyncIterator[bytes], context: "grpc.aio.ServicerContext") -> None:  # type: ignore[type-arg]
        """The messages of a file, in as many portions as asked for, one after each interval; and again."""
        wanted = json.loads(await anext(aiter(requests)))
        ready, portions = messages(wanted["file"]), wanted["portions"]
        loop = asyncio.get_running_loop()
        due = loop.time()
        for portion in itertools.cycle(range(portions)):
            due += wanted["interval"]
            await asyncio.sleep(max(0.0, due - loop.time()))
            first, last = (len(ready) * number // portions for number in (portion, portion + 1))
            for message in ready[first:last]:
                await context.write(message)

    def _commit(self, body: bytes) -> None:
        if self._db is None:
            self._db = sqlite3.connect(self._file, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("CREATE TABLE history (number INTEGER PRIMARY KEY, body BLOB)")
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("INSERT INTO history (body) VALUES (?)", (body,))
        self._db.execute("COMMIT")


async def serve(folder: Path) -> None:
    """Serve on a Unix socket until the other side hangs up."""
    bare = Bare(folder / "bare.db")
    server = grpc.aio.server()
    handlers = {
        "Get": grpc.unary_unary_rpc_method_handler(bare.get),
        "Commit": grpc.unary_unary_rpc_method_handler(bare.commit),
        "Stream": grpc.stream_stream_rpc_method_handler(bare.stream),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bare", handlers),))
    address = f"unix:{folder}/bare.sock"
    server.add_insecure_port(address)
    await server.start()
    await obey(address, {})
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
