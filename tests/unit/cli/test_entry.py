"""The entry: whatever goes wrong is lines and an exit code."""

import sys

import pytest

from twinplane_cli import app
from twinplane_cli.__main__ import main


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            ModuleNotFoundError("No module named 'rich'", name="rich"),
            2,
            "twinplane: No module named 'rich'; install what it needs: pip install 'twinplane[cli]'\n",
        ),
        (
            ModuleNotFoundError("No module named 'twinplane_cli.x'", name="twinplane_cli.x"),
            70,
            (
                "error: ModuleNotFoundError: No module named 'twinplane_cli.x'\n"
                "  help: this is a fault of the command; TWINPLANE_TRACEBACK=1 shows where\n"
            ),
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=["library", "fault", "interrupt"],
)
def test_the_command_ends_in_words(
    error: BaseException,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing(prog_name: str) -> None:
        raise error

    monkeypatch.setattr(app, "app", failing)
    monkeypatch.delenv("TWINPLANE_TRACEBACK", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert capsys.readouterr().err == told


def test_a_fault_shows_where_it_is_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(prog_name: str) -> None:
        raise RuntimeError("here")

    monkeypatch.setattr(app, "app", failing)
    monkeypatch.setenv("TWINPLANE_TRACEBACK", "1")
    with pytest.raises(RuntimeError, match="here"):
        main()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--version"], 0, "twinplane "),
        (["--cert", "c.pem", "plan"], 2, "certificate and key belong together"),
        (["--password", "ü", "plan"], 2, "printable ASCII"),
    ],
    ids=["version", "certificate", "password"],
)
def test_what_stands_in_front_of_a_command(
    arguments: list[str],
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["twinplane", *arguments])
    for variable in ("TWINPLANE_CERT", "TWINPLANE_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    shown = capsys.readouterr()
    assert told in shown.out + shown.err
