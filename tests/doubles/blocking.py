"""Tells of calls that block, made by the agent's code in the thread of an event loop."""

import asyncio
import functools
import linecache
import sys
import threading
import traceback
from asyncio import events
from collections.abc import Callable
from pathlib import Path
from typing import Any

AGENT = str(Path(__file__).parents[2] / "agent")
TESTS = str(Path(__file__).parents[1])
# Audit events (library/audit_events of Python) of what waits for a disk, a process, a resolver, or time.
# sqlite3 refuses by itself to use a connection in another thread than the one that opened it.
EVENTS = (
    *("open", "sqlite3.connect", "subprocess.Popen", "socket.getaddrinfo", "socket.gethostbyname"),
    *("time.sleep", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.system", "fcntl.flock"),
    *("shutil.copyfile", "shutil.rmtree", "glob.glob"),
)
MEMORY = ("/proc/", "/sys/", "/dev/")  # opening these waits for nothing


class Watch:
    """Reports such calls while it is on. An audit hook cannot be removed: make one, switch it on and off."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.on = False
        self._report = report
        self._busy = threading.local()
        sys.addaudithook(self._hear)

    def wrap(self, kind: type) -> None:
        """Watch all methods of a class, too: of one whose calls are no events."""
        for name, method in list(vars(kind).items()):
            if callable(method) and not name.startswith("_"):
                setattr(kind, name, self._wrapped(f"{kind.__name__}.{name}", method))

    def _wrapped(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            self._judge(name)
            return method(*arguments, **options)

        return call

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in EVENTS:
            target = arguments[0] if arguments else ""
            if isinstance(target, int) or str(target).startswith(MEMORY):
                return
            self._judge(f"{event} {target}")

    def _judge(self, what: str) -> None:
        if not self.on or asyncio._get_running_loop() is None or getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            if blamed := _blamed():
                self._report(f"{what} in the loop, from {blamed}")
        finally:
            self._busy.now = False


def _blamed() -> str:
    """The line of the agent that called, or nothing where a test or an import did."""
    blamed = ""
    for frame, line in traceback.walk_stack(sys._getframe(3)):
        file = frame.f_code.co_filename
        if file == events.__file__ and frame.f_code.co_name == "_run":
            return blamed  # below it is the loop, and whoever started that
        if file == linecache.__file__:
            return ""  # a traceback that is logged shows the source
        if file.startswith("<frozen importlib") or (file.startswith(TESTS) and file != __file__):
            return ""
        if file.startswith(AGENT) and not blamed:
            blamed = f"{file.removeprefix(AGENT)}:{line} {frame.f_code.co_name}"
    return ""
