import json

import pytest

from twinplane_cli.errors import explain, list_faults
from twinplane_cli.output import caller, document, moment, plain, printable, show, table
from twinplane_client import ErrorEntry, RefusedError, Sync, UnavailableError, Update, Violation, parse_path

FAULT = ErrorEntry("protocol", "invalid-value", "/a/b", "", "is too big", "at most 5", 2)


def test_results_become_what_json_writes() -> None:
    found = {"one": Update(parse_path("/a[k=x]/b"), (1, b"x", None)), "two": Sync.SYNC, "three": 1.5}
    assert plain(found) == {
        "one": {"path": "/a[k=x]/b", "value": [1, "eA==", None], "duplicates": 0},
        "two": "sync",
        "three": 1.5,
    }


def test_control_characters_are_written_out() -> None:
    assert printable("a\x1b[31m\r\u202eb\nü") == "a\\u001b[31m\\r\\u202eb\nü"
    assert moment(0) == ""
    assert caller("ipv6:%5B::1%5D:9339") == "ipv6:[::1]:9339"


def test_json_for_people_is_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": "\x9b31m\u202e", "b": ["ü", None]}
    show("human", None, document(value))
    told = capsys.readouterr().out
    assert json.loads(told) == value
    assert "\\u009b31m\\u202e" in told
    assert "ü" in told


def test_a_table_is_text_whatever_stands_in_its_cells() -> None:
    (column,) = table(("PATH",), [["/a[name=b]\x07"]]).columns
    assert list(column.cells) == ["/a[name=b]\\u0007"]


def test_a_fault_names_edit_path_and_remedy() -> None:
    assert str(list_faults((FAULT,))) == "error: edit 2: /a/b: is too big\n  help: at most 5"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("/a/b: is too big (at most 5)", "error: edit 2: /a/b: is too big\n  help: at most 5\n"),
        (
            "/a/b: is too big (at most 5); and 3 more",
            "error: edit 2: /a/b: is too big\n  help: at most 5\nand 3 more\n",
        ),
        # What was done about it is in the message alone.
        (
            "/a/b: is too big (at most 5); everything was undone",
            "error: /a/b: is too big (at most 5); everything was undone\n",
        ),
        ("no", "error: no\nerror: edit 2: /a/b: is too big\n  help: at most 5\n"),
    ],
)
def test_everything_is_told_once(message: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = 4 if "more" in message else 1
    assert explain(RefusedError("CODE", message, (), count, (FAULT,)), "human", "box") == 1
    assert capsys.readouterr().err == told


def test_violations_of_gnmi_are_faults_too(capsys: pytest.CaptureFixture[str]) -> None:
    error = RefusedError("CODE", "/a: is odd", (Violation("/a", "is odd", "VALUE", 0),))
    assert explain(error, "json", "box") == 1
    (fault,) = json.loads(capsys.readouterr().err)["error"]["errors"]
    assert (fault["path"], fault["message"], fault["tag"], fault["operation"]) == ("/a", "is odd", "VALUE", 1)


def test_nobody_there_names_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(UnavailableError("UNAVAILABLE", "connect failed"), "human", "box:1") == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first == "error: box:1: connect failed"
    assert second.startswith("  help: ")
