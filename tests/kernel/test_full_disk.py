"""The state directory on a file system that is really full."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doubles.process import run_module

pytestmark = pytest.mark.kernel


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that holds very little. Not in a mount namespace: unshare(1) cannot make one
    where / is no mount point (a plain chroot)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1280k", "none", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_file_system_loses_nothing(small: Path) -> None:
    told = json.loads(run_module("cramped", str(small), "full"))
    assert len(told["errors"]) == 2 and told["same"] and told["kept"] and told["revision"] == 3
    assert all("is full" in error for error in told["errors"])
