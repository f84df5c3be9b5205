from pathlib import Path

import pytest

from twinplane_client.__main__ import _assignment, _parser, main


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/a/b=1", ("/a/b", 1)),
        ('/a[k=x]/b="y=z"', ("/a[k=x]/b", "y=z")),
        ('/a[k=x]={"c":[1,null]}', ("/a[k=x]", {"c": [1, None]})),
    ],
)
def test_an_assignment(text: str, wanted: tuple[str, object]) -> None:
    assert _assignment(text) == wanted


def test_a_value_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "value.json").write_text('{"a": 1}')
    assert _assignment(f"/x=@{tmp_path / 'value.json'}") == ("/x", {"a": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set", "--update", "/a/b"], "is not PATH=VALUE"),
        (["set", "--update", "/a=word"], "is no JSON"),
        (["set", "--update", "/a=@/nonexistent"], "No such file"),
        (["get", "/a//b"], "empty element"),
        (["get"], "required"),
        ([], "required"),
        (["--cert", "c.pem", "get", "/a"], "belong together"),
        (["--username", "ü", "get", "/a"], "printable ASCII"),
        (["--address", "", "get", "/a"], "no address"),
        (["subscribe", "/a", "--mode", "sample", "--interval", "-1"], "an interval is"),
        (["--encoding", "proto", "set", "--update", "/a=1"], "json or json_ietf"),
    ],
)
def test_wrong_use_is_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--address", "unix:/nonexistent", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_nobody_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--address", f"unix:{tmp_path}/none", "--timeout", "5", "capabilities"]) == 1
    assert capsys.readouterr().err.startswith("UNAVAILABLE: ")
    assert main(["--address", "localhost:1", "--ca", "/nonexistent", "capabilities"]) == 1
    assert capsys.readouterr().err == "/nonexistent: No such file or directory\n"


def test_what_the_environment_says_is_an_argument(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {"SERVER_NAME": "box", "USERNAME": "ann", "CA": "/nonexistent"}
    for name, value in said.items():
        monkeypatch.setenv(f"TWINPLANE_{name}", value)
    options = _parser().parse_args(["--address", "x:1", "capabilities"])
    assert (options.server_name, options.username, str(options.ca)) == tuple(said.values())
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"$TWINPLANE_{name}" in shown for name in said)
