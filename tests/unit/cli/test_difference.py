from twinplane_cli.difference import difference
from twinplane_client import parse_path
from twinplane_client.config import Change


def test_objects_and_their_leaves_in_the_order_of_paths() -> None:
    changes = [
        Change(parse_path("/b/c[name=y]/config/mtu"), "changed", 1, 2),
        Change(parse_path("/b/c[name=x]/name"), "deleted", "x", None),
        Change(parse_path("/b/c[name=x]/d[id=1]/id"), "deleted", 1, None),
        Change(parse_path("/b/c[name=x]/d[id=1]/text"), "deleted", "a\u202e", None),
        Change(parse_path("/top"), "created", None, ["é"]),
    ]
    assert str(difference(changes)).splitlines() == [
        "/b/c[name=x]",
        '- d[id=1]/text "a\\u202e"',
        "/b/c[name=y]",
        "- config/mtu 1",
        "+ config/mtu 2",
        "/top",
        '+ ["é"]',
    ]


def test_what_goes_is_red_and_what_comes_is_green() -> None:
    text = difference([Change(parse_path("/b/c[name=y]/config/mtu"), "changed", 1, 2)])
    assert [span.style for span in text.spans] == ["bold", "red", "green"]
