"""Processes that a row measures: started, asked by one line of JSON each way, ended with the row."""

import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Command = Callable[[dict[str, Any]], Awaitable[Any]]
LINE = 64 << 20


class Process:
    """A process that follows `obey`. `greeting` is what it said when it was ready, `seconds` how long that
    took from before it was made."""

    def __init__(self, process: asyncio.subprocess.Process, greeting: Any, seconds: float) -> None:
        self._process = process
        self.greeting = greeting
        self.seconds = seconds

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Its answer to one command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()
        return await _line(self._process)

    async def cpu(self) -> float:
        """CPU seconds it has used so far."""
        seconds: float = await self.ask("cpu")
        return seconds

    @property
    def resident(self) -> int:
        """Bytes of memory it has now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def started(module: str, *arguments: str) -> AsyncIterator[Process]:
    """``python -m module arguments``, ready; its standard error is this process's."""
    begin = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=LINE,
    )  # fmt: skip
    try:
        greeting = await _line(process)
        yield Process(process, greeting, time.monotonic() - begin)
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(20):
            await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def obey(greeting: Any, commands: dict[str, Command]) -> None:
    """Say that this process is ready, then follow commands until the other side hangs up."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(greeting), flush=True)
    while line := await reader.readline():
        command = json.loads(line)
        do = command.pop("do")
        if do == "cpu":
            used = resource.getrusage(resource.RUSAGE_SELF)
            answer: Any = used.ru_utime + used.ru_stime
        else:
            answer = await commands[do](command)
        print(json.dumps(answer), flush=True)


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"process {process.pid} ended with {await process.wait()}")
    return json.loads(line)
