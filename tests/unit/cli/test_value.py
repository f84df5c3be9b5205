import io
import time
from datetime import UTC, datetime
from pathlib import Path as File

import pytest

from twinplane_cli import value
from twinplane_cli.errors import CommandError
from twinplane_client import Edit, parse_path


@pytest.mark.parametrize(
    ("text", "path", "body"),
    [
        ("/a/b=1", "/a/b", b"<b>1</b>"),
        ("/a[k=x]/m:b=y=z", "/a[k=x]/m:b", b"<b>y=z</b>"),
        ("/a/b=<&\r>", "/a/b", b"<b>&lt;&amp;&#13;&gt;</b>"),
        ("/a/b=", "/a/b", b"<b></b>"),
    ],
)
def test_a_leaf_is_given_as_text(text: str, path: str, body: bytes) -> None:
    assert value.leaf(text) == Edit("merge", parse_path(path), body)


@pytest.mark.parametrize(("text", "said"), [("/a/b", "PATH=VALUE"), ("/a//b=1", "empty"), ("/=1", "no leaf")])
def test_what_is_no_leaf_is_refused(text: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        value.leaf(text)


def test_text_comes_from_the_argument_a_file_or_stdin(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "value").write_bytes(b"[1]")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[2]")))
    assert value.document(f"@{tmp_path / 'value'}", "json") == b"[1]"
    assert value.document("-", "json") == b"[2]"
    assert value.document("<a/>", "xml") == b"<a/>"
    with pytest.raises(CommandError, match="no JSON"):
        value.document("<a/>", "json")
    assert value.assignment(f"/a[k=v]/b=@{tmp_path / 'value'}") == (parse_path("/a[k=v]/b"), [1])


def test_a_list_of_edits() -> None:
    text = """[{"operation": "move", "path": "/a[k=1]", "insert": "after", "point": "/a[k=2]"},
               {"operation": "merge", "path": "/b", "value": {"c": 1}}]"""
    assert value.edits(text) == [
        Edit("move", parse_path("/a[k=1]"), None, "after", parse_path("/a[k=2]")),
        Edit("merge", parse_path("/b"), {"c": 1}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1]",
        '[{"path": "/a"}]',
        '[{"operation": "merge", "path": "/a", "values": 1}]',
        '[{"operation": "mend", "path": "/a"}]',
        '[{"operation": "move", "path": "/a", "insert": "beside"}]',
        '[{"operation": ["merge"], "path": "/a"}]',
    ],
)
def test_what_is_no_list_of_edits_is_refused(text: str) -> None:
    with pytest.raises(CommandError) as refused:
        value.edits(text)
    assert '"operation": "merge"' in refused.value.remedy


def test_times() -> None:
    moment = datetime(2030, 1, 31, 12, tzinfo=UTC)
    assert value.since("2030-01-31T12:00:00Z") == int(moment.timestamp()) * 10**9
    assert value.since("2030-01-31T13:00:00+01:00") == int(moment.timestamp()) * 10**9
    before = time.time_ns()
    assert before - 7200 * 10**9 <= value.since("2h") <= time.time_ns() - 7200 * 10**9
    for text in ("yesterday", "10", "-1h"):
        with pytest.raises(CommandError, match="no time"):
            value.since(text)
    assert value.since("99999999999d") == 0
    assert value.since("9999-12-31T23:59:59Z") == 2**63 - 1
