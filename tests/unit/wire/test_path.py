"""Paths: parse and format are inverses for every name and key value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane_wire.path import ROOT, Elem, Path, PathSyntaxError, parse

NAMES = st.text(min_size=1, max_size=8)
ELEMS = st.builds(
    Elem,
    NAMES,
    st.lists(st.tuples(st.text("abc-", min_size=1), st.text(max_size=8)), max_size=2).map(tuple),
)


@given(st.lists(ELEMS, max_size=4).map(tuple))
def test_parse_reads_what_str_writes(elems: tuple[Elem, ...]) -> None:
    assert parse(str(Path(elems))) == Path(elems)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", ROOT),
        ("", ROOT),
        ("/a/b/", ROOT.child("a").child("b")),
        ("a/b", ROOT.child("a").child("b")),
        ("rfc7951:/a", Path((Elem("a"),), "rfc7951")),
        ("openconfig:", Path((), "openconfig")),
        (r"/l[k=a/b\]\\]/x", ROOT.child("l", ("k", "a/b]\\")).child("x")),
        ("/l[a=1][b=2]", ROOT.child("l", ("a", "1"), ("b", "2"))),
    ],
)
def test_parse(text: str, path: Path) -> None:
    assert parse(text) == path


@pytest.mark.parametrize("text", ["//a", "/a//b", "/a[k", "/a[k=v", "/a[=v]", "/a[k=v]b", "/a[k=v/b"])
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(PathSyntaxError):
        parse(text)


def test_prefix() -> None:
    entry = parse("/l[k=a]")
    assert entry.is_prefix_of(parse("/l[k=a]/x"))
    assert not entry.is_prefix_of(parse("/l[k=b]/x"))
    assert not entry.is_prefix_of(Path(parse("/l[k=a]/x").elems, "other"))
