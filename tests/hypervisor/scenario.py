"""Runs a test's body in a process of its own: a process keeps to the first root that libvirt opened in it.

The process is in a network namespace of its own and gets a short state directory; what it leaves running is
ended with it.
"""

import asyncio
import ctypes
import functools
import importlib.util
import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ANSWERS = REPOSITORY / "build/qemu-answers"
LIMIT = 110  # seconds for one scenario; beside other work on two cores a guest boots in 10 s
_CLONE_NEWNET = 0x40000000

Body = Callable[[Path], Awaitable[None]]


def alone(body: Body) -> Callable[[], None]:
    """Make a test of a coroutine function that takes the state directory."""

    @functools.wraps(body)
    def test() -> None:
        with tempfile.TemporaryDirectory(prefix="tp", dir="/tmp") as folder:
            Path(folder).chmod(0o711)
            state = Path(folder)
            try:
                done = run(Path(inspect.getfile(body)), body.__name__, state)
                assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
            finally:
                end_guests(state)

    del test.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for a fixture named as the argument
    test.body = body  # type: ignore[attr-defined]
    return test


def run(file: Path, name: str, state: Path) -> "subprocess.CompletedProcess[str]":
    """Run one scenario to its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", __file__, str(file), name, str(state)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"},
    )


def end_guests(state: Path) -> None:
    """End every QEMU whose files are in this state directory."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"/usr/bin/qemu") and str(state).encode() in command:
            os.kill(int(entry.name), signal.SIGKILL)
    shutil.rmtree(state / "libvirt", ignore_errors=True)


def firewall_image() -> dict[str, str]:
    """The configuration of the firewall image object, whose files are built when they are not there."""
    builder = [sys.executable, "clients/examples/firewall_image"]
    done = subprocess.run(builder, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    built = json.loads((REPOSITORY / "build/images/firewall/image.json").read_text())
    config: dict[str, str] = built["twinplane-image:config"]
    return config


def lend_answers(root: Path) -> None:
    """Give a fresh libvirt root what QEMU told another test about itself: asking takes seconds. libvirt asks
    again where that was another QEMU."""
    if ANSWERS.is_dir():
        shutil.copytree(ANSWERS, root / "cache/qemu/capabilities", dirs_exist_ok=True)


def keep_answers(root: Path) -> None:
    """Keep what QEMU said for other tests, where nobody has yet."""
    answers = root / "cache/qemu/capabilities"
    if answers.is_dir() and any(answers.iterdir()) and not ANSWERS.exists():
        shutil.copytree(answers, ANSWERS, dirs_exist_ok=True)


async def until(condition: Callable[[], Any], what: str, limit: float = 60.0) -> Any:
    """Wait until a condition holds; returns what it returned."""
    async with asyncio.timeout(limit):
        while not (found := condition()):
            await asyncio.sleep(0.1)
        return found
    raise AssertionError(what)


def _main() -> None:
    file, name, state = sys.argv[1:4]
    for folder in ("agent", "proto", "tests"):
        sys.path.insert(0, str(REPOSITORY / folder))
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: the hypervisor tier needs root")
    for folder in ("images", "appliances", "trash"):
        (Path(state) / folder).mkdir(mode=0o711, exist_ok=True)
    lend_answers(Path(state) / "libvirt")
    specification = importlib.util.spec_from_file_location("scenario_module", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    found = getattr(module, name)
    asyncio.run(getattr(found, "body", found)(Path(state)))
    keep_answers(Path(state) / "libvirt")


if __name__ == "__main__":
    _main()
