import pytest

from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.touched import touched
from twinplane_wire.path import parse


def entries(*names: str, ordered: bool = False) -> Entries:
    return Entries(("name",), {(name,): Container({"name": name}) for name in names}, ordered)


SAME = Container({"x": 1})


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (SAME, SAME, []),
        (Container({"x": 1}), Container({"x": 1}), []),
        (Container({"x": 1}), Container({"x": True}), ["/o/x"]),
        (Container({"x": 1}), Container({"y": 1}), ["/o/x", "/o/y"]),
        (None, Container({"c": Container({"x": 1, "y": (1, 2)})}), ["/o/c/x", "/o/c/y"]),
        (Container({"c": Container({"x": 1})}), None, ["/o/c/x"]),
        (Container({"c": SAME}), Container({"c": SAME, "flag": Container()}), ["/o/flag"]),
        (Container({"flag": Container()}), Container(), ["/o/flag"]),
        (Container(), Container({"l": entries("a")}), ["/o/l[name=a]/name"]),
        (Container({"l": entries("a", "b")}), Container({"l": entries("b")}), ["/o/l[name=a]/name"]),
        (Container({"l": entries("a", "b")}), Container({"l": entries("b", "a")}), []),
        (
            Container({"l": entries("a", "b", ordered=True)}),
            Container({"l": entries("b", "a", ordered=True)}),
            ["/o/l"],
        ),
        (
            Container({"l": entries("a", "b", ordered=True)}),
            Container({"l": entries("c", "a", "b", ordered=True)}),
            ["/o/l[name=c]/name"],
        ),
        (Container({"w": (1, 2)}), Container({"w": (2, 1)}), ["/o/w"]),
    ],
)
def test_what_a_change_touches(before: Node | None, after: Node | None, wanted: list[str]) -> None:
    assert sorted(map(str, touched(before, after, parse("/o")))) == wanted
