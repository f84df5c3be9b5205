import stat
import threading
from pathlib import Path

import pytest

from twinplane_cli.errors import CommandError
from twinplane_cli.session_file import KeptSession, SessionFile
from twinplane_client import Target


def test_each_box_and_user_has_a_file_below_the_state_directory(tmp_path: Path) -> None:
    state = {"XDG_STATE_HOME": str(tmp_path)}
    targets = [
        Target("a:1"),
        Target("b:1"),
        Target("a:1", username="ann"),
        Target("a:1", certificate=Path("/ann.pem"), key=Path("/ann.key")),
    ]
    files = {SessionFile.of(one, state).path for one in targets}
    assert len(files) == len(targets)
    assert {one.parent for one in files} == {tmp_path / "twinplane"}
    assert SessionFile.of(Target("a:1", password="x"), state) == SessionFile.of(Target("a:1"), state)


@pytest.mark.parametrize("state", [{}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "relative"}])
def test_without_a_state_directory_it_is_in_the_home(
    state: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert SessionFile.of(Target("a:1"), state).path.parent == tmp_path / ".local/state/twinplane"


def test_what_is_kept_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = SessionFile(tmp_path / "deep" / "twinplane" / "session.json")
    with file.alone():
        assert file.read() is None
        file.write(KeptSession(1, "old"))
        file.path.chmod(0o644)
        file.write(KeptSession(7, "secret"))
        assert file.read() == KeptSession(7, "secret")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert {one.suffix for one in file.path.parent.iterdir()} == {".json", ".lock"}
    file.remove()
    file.remove()
    assert file.read() is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": "x", "secret": 1}'])
def test_what_is_no_session_is_said(text: str, tmp_path: Path) -> None:
    file = SessionFile(tmp_path / "session.json")
    file.path.write_text(text)
    with pytest.raises(CommandError, match="holds no session") as refused:
        file.read()
    assert refused.value.remedy == "delete it"


def test_one_command_at_a_time(tmp_path: Path) -> None:
    file, order = SessionFile(tmp_path / "session.json"), []

    def other() -> None:
        with file.alone():
            order.append("other")

    with file.alone():
        thread = threading.Thread(target=other)
        thread.start()
        order.append("one")
    thread.join(30)
    assert order == ["one", "other"]
