"""The state directory: layout, version, lock, instance id."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from twinplane.errors import StartError
from twinplane.state_dir import LAYOUT, LONGEST, StateDir, holder, write_file


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tp"))
    yield folder / "state"
    shutil.rmtree(folder)


def test_first_start_makes_the_layout_and_an_instance_id(root: Path) -> None:
    with StateDir(root) as first:
        assert isinstance(first.instance, UUID) and not first.used
        assert not (root / "VERSION").exists(), "not before the first start made the rest"
        first.database.write_bytes(b"held")
        (root / "users.toml").write_text("held")
        first.settle()
        assert (root / "VERSION").read_text() == f"{LAYOUT}\n"
        assert first.folder("images").is_dir()
        made = first.instance
    with StateDir(root) as again:
        assert again.instance == made and again.used


def test_a_second_agent_is_refused_and_the_first_is_named(root: Path) -> None:
    with StateDir(root), pytest.raises(StartError, match=f"in use by another agent .process {os.getpid()}"):
        StateDir(root)


def test_who_only_looks_whether_an_agent_runs_stops_none_from_starting(root: Path) -> None:
    with StateDir(root):
        pass
    look = os.open(root / "lock", os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)  # what `holder` does for a moment
    threading.Timer(0.02, os.close, (look,)).start()
    with StateDir(root):
        assert holder(root) == os.getpid()


def test_the_lock_goes_with_its_process(root: Path) -> None:
    held = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys, time; from pathlib import Path; from twinplane.state_dir import StateDir\n"
                "s = StateDir(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
            ),
            str(root),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert held.stdout is not None
    with held.stdout:
        assert held.stdout.readline() == b"held\n"
        with pytest.raises(StartError, match="in use"):
            StateDir(root)
        held.kill()
        held.wait()
    StateDir(root).close()


def test_a_newer_layout_is_refused_and_nothing_is_touched(root: Path) -> None:
    root.mkdir()
    (root / "VERSION").write_text("999\n")
    with pytest.raises(StartError, match="999"):
        StateDir(root)
    assert sorted(path.name for path in root.iterdir()) == ["VERSION", "lock"]


def test_a_path_too_long_for_sockets_is_refused() -> None:
    with pytest.raises(StartError, match=f"at most {LONGEST}"):
        StateDir(Path("/tmp") / ("x" * LONGEST))


def test_a_path_is_as_long_as_its_bytes() -> None:
    with pytest.raises(StartError, match="has 53 bytes"):
        StateDir(Path("/tmp") / ("ü" * 24))


def test_a_version_that_is_no_text_is_refused(root: Path) -> None:
    root.mkdir()
    (root / "VERSION").write_bytes(b"\xff\xfe1\n")
    with pytest.raises(StartError, match="has layout"):
        StateDir(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused_and_nothing_is_put_into_it(root: Path) -> None:
    root.mkdir()
    os.chown(root, 65534, 65534)
    with pytest.raises(StartError, match="belongs to another user"):
        StateDir(root)
    assert list(root.iterdir()) == []


def test_a_directory_that_anybody_can_write_is_refused(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)
    with pytest.raises(StartError, match=f"chmod o-w {root}"):
        StateDir(root)
    assert list(root.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    root = Path("/proc/nowhere/state")
    with pytest.raises(StartError, match="cannot write state directory"):
        StateDir(root)


def test_a_broken_instance_id_is_not_replaced(root: Path) -> None:
    with StateDir(root):
        pass
    (root / "instance-id").write_text("nonsense")
    with pytest.raises(StartError, match="UUID"):
        StateDir(root)
    assert (root / "instance-id").read_text() == "nonsense"


def test_write_file_replaces_whole(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_file(file, b"one", 0o640)
    write_file(file, b"two")
    assert file.read_bytes() == b"two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
