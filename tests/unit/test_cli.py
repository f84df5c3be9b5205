"""The command where the package was installed without what the agent needs."""

import pytest

from twinplane import cli


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
