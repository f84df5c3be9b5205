"""The state directory on a file system that is really full."""

import json
from pathlib import Path

import pytest

from doubles.process import run_module

pytestmark = pytest.mark.kernel


def test_a_full_file_system_loses_nothing(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=1280k none "{tmp_path}" && exec "$@"'
    shell = ("unshare", "--mount", "sh", "-c", mount, "sh")
    told = json.loads(run_module("cramped", str(tmp_path), "full", prefix=shell))
    assert len(told["errors"]) == 2 and told["same"] and told["kept"] and told["revision"] == 3
    assert all("is full" in error for error in told["errors"])
