"""Modules of this folder as processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def run_module(name: str, *arguments: str) -> str:
    """Run ``doubles.<name>`` to its end and return what it prints."""
    paths = [str(CHECKOUT / folder) for folder in ("agent", "proto", "tests")]
    done = subprocess.run(
        [sys.executable, "-m", f"doubles.{name}", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
