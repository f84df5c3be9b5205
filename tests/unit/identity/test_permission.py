import os
import stat
from pathlib import Path

import pytest

from twinplane.errors import StartError
from twinplane.identity.permission import mend

FILES = {"tls/ca.key": 0o600, "tls/ca.pem": 0o644, "tls/server.key": 0o600, "users.toml": 0o600}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tls").mkdir(mode=0o700)
    for name, mode in FILES.items():
        (tmp_path / name).write_text("content")
        (tmp_path / name).chmod(mode)
    return tmp_path


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_what_is_in_order_is_left_alone(root: Path) -> None:
    assert mend(root) == ()


@pytest.mark.parametrize(
    ("name", "wide", "closed", "said"),
    [
        ("tls/ca.key", 0o644, 0o600, "read by others"),
        ("tls/server.key", 0o620, 0o600, "written by others"),
        ("tls/ca.pem", 0o666, 0o644, "written by others"),
        ("users.toml", 0o640, 0o600, "read by others"),
        ("users.toml", 0o606, 0o600, "written by others"),
        ("tls", 0o777, 0o755, "written by others"),
    ],
)
def test_what_others_can_do_is_taken_away_and_said(
    root: Path, name: str, wide: int, closed: int, said: str
) -> None:
    (root / name).chmod(wide)
    (line,) = mend(root)
    assert said in line
    assert mode(root / name) == closed
    assert mend(root) == ()


def test_a_link_is_judged_at_its_target_which_is_not_changed(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("key")
    (root / "tls/server.key").unlink()
    (root / "tls/server.key").symlink_to(target)
    target.chmod(0o640)
    assert mend(root) == (), "its group may read it"
    target.chmod(0o644)
    with pytest.raises(StartError, match=f"chmod 640 {target}"):
        mend(root)
    assert mode(target) == 0o644
    target.unlink()
    assert mend(root) == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_somebody_else_is_refused(root: Path) -> None:
    os.chown(root / "users.toml", 12345, -1)
    with pytest.raises(StartError, match=r"another user \(12345\).*chown root"):
        mend(root)
