"""The command line: what is wrong is one line and an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twinplane import cli


def test_grpc_is_told_before_it_is_loaded_that_there_will_be_forks() -> None:
    """Its handlers would abort a process that serves when libvirt forks in it."""
    program = (
        "import os, sys, twinplane.__main__; "
        "sys.exit(os.environ['GRPC_ENABLE_FORK_SUPPORT'] != '0' or 'grpc' in sys.modules)"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path), "GRPC_ENABLE_FORK_SUPPORT": "1"}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20, env=environ)


def test_a_missing_library_is_one_line_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(_: object) -> int:
        raise ModuleNotFoundError("No module named 'pyroute2'", name="pyroute2")

    monkeypatch.setattr(cli, "_check", lacking)
    with pytest.raises(SystemExit, match="2"):
        cli.main(["check"])
    assert capsys.readouterr().err == (
        "twinplane-agent: No module named 'pyroute2'; install what it needs: pip install 'twinplane[agent]'\n"
    )


def test_a_module_of_our_own_that_is_missing_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> int:
        raise ModuleNotFoundError("No module named 'twinplane.nothing'", name="twinplane.nothing")

    monkeypatch.setattr(cli, "_check", broken)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["check"])


def test_a_check_refuses_the_state_directory_that_a_start_would_refuse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWINPLANE_AGENT_STATE_DIR", f"/tmp/{'x' * 45}")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["check"])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "has 50 bytes, at most 45 are possible" in shown.err


def test_a_check_refuses_a_state_directory_that_lost_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("twinplane.state_dir.LONGEST", 1000)
    monkeypatch.setenv("TWINPLANE_AGENT_STATE_DIR", str(tmp_path))
    (tmp_path / "VERSION").write_text("1\n")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["check"])
    assert "lacks twinplane.db" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [("run",), ("check",), ("schema",), ("plan", "a", "b")], ids=lambda each: each[0]
)
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            "[agent]\nstate = 1\n",
            "unknown setting agent.state; known in [agent]: image_dir, state_dir, yang_dir",
        ),
        ("[agents]\n", "unknown section [agents]; known: agent, "),
        ("[reserve]\nmemory = -1\n", "reserve.memory must be a whole number, 0 to 1000000000000, not -1"),
        ("[listen]\nmode = 'OPEN'\n", "listen.mode must be one of MUTUAL, PASSWORD, not 'OPEN'"),
        ("[log]\nlevel = 'LOUD'\n", "log.level must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"),
        ("[agent\n", "is not valid TOML"),
    ],
    ids=["setting", "section", "number", "mode", "level", "no TOML"],
)
def test_settings_that_mean_nothing_are_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    settings: str,
    words: str,
) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(settings)
    with pytest.raises(SystemExit, match="2"):
        cli.main([command[0], "--config", str(file), *command[1:]])
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith(f"twinplane-agent: {file}")
    assert words in line


def test_settings_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["run", "--config", "/nowhere/agent.toml"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot read /nowhere/agent.toml: No such file or directory; name a file with --config" in line


def test_what_guests_read_is_open_to_them_whatever_mask_the_shell_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_: object) -> int:
        (tmp_path / "images").mkdir(mode=0o711)
        return 0

    monkeypatch.setattr(cli, "_run", make)
    before = os.umask(0o077)
    try:
        with pytest.raises(SystemExit, match="0"):
            cli.main(["run"])
    finally:
        os.umask(before)
    assert (tmp_path / "images").stat().st_mode & 0o777 == 0o711


def test_an_interrupted_command_leaves_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_check", interrupted)
    with pytest.raises(SystemExit, match="130"):
        cli.main(["check"])
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(_: object) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(cli, "_schema", unread)
    with pytest.raises(SystemExit, match="0"):
        cli.main(["schema"])


@pytest.mark.parametrize("arguments", [[], ["fly"], ["plan", "only-one"]])
def test_a_command_that_is_none_shows_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert capsys.readouterr().err.startswith("usage: twinplane-agent")
