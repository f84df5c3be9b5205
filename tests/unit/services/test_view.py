"""What rules and secrets leave of a tree."""

from pathlib import Path as File

import pytest

from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule, Standing, rules_of
from twinplane.identity.user import User
from twinplane.schema.compile import Schemas, load_schema
from twinplane.services.auth import Caller
from twinplane.services.view import ANOTHER, View, Views
from twinplane.state.change import Change, compare
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import ROOT, parse

YANG = File(__file__).parents[3] / "yang"
FILES = "/appliances/appliance[name=fw1]/bootstrap/files/file"


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schema(YANG, None)


def caller(role: Role, *rules: tuple[str, Access]) -> Caller:
    own = tuple(Rule(parse(path), access) for path, access in rules)
    return Caller("ann", role, "", User("ann", role, "", own))


def appliance(name: str, content: str) -> Container:
    config = Container({"target": "user-data", "content": content})
    file = Container({"target": "user-data", "config": config})
    files = Container({"file": Entries(("target",), {("user-data",): file})})
    state = Container({"delivered-digest": f"sha256:{content}"})
    return Container(
        {
            "name": name,
            "config": Container({"name": name}),
            "bootstrap": Container({"files": files, "state": state}),
        }
    )


def tree() -> Container:
    entries = {(name,): appliance(name, f"pw-{name}") for name in ("fw1", "fw2")}
    images = Container({"image": Entries(("name",), {("a",): Container({"name": "a"})})})
    appliances = Container({"appliance": Entries(("name",), entries)})
    return Container({"appliances": appliances, "images": images})


def view(schemas: Schemas, caller: Caller) -> View:
    found = Views(schemas).of(caller)
    assert found is not None
    return found


def test_who_may_write_or_meets_no_secret_sees_the_very_same_tree(schemas: Schemas) -> None:
    views, root = Views(schemas), tree()
    for everything in (
        caller(Role.ADMIN),
        caller(Role.OPERATOR),
        caller(Role.OPERATOR, ("/images", Access.READ), ("/virtual-switches", Access.READ)),
    ):
        assert views.of(everything) is None
    reader = view(schemas, caller(Role.READ_ONLY))
    seen = reader.tree("", root)
    assert seen is not root and reader.tree("", root) is seen  # kept
    assert seen.children["images"] is root.children["images"]  # nothing hidden: shared by all


def test_secrets_and_what_is_derived_from_them_are_left_out(schemas: Schemas) -> None:
    seen = repr(view(schemas, caller(Role.READ_ONLY)).tree("", tree()))
    assert "user-data" in seen and "pw-" not in seen and "fw2" in seen


def test_rules_show_one_and_hide_the_other(schemas: Schemas) -> None:
    rules = ("/appliances", Access.NONE), ("/appliances/appliance[name=fw1]", Access.WRITE)
    seen = repr(view(schemas, caller(Role.OPERATOR, *rules)).tree("", tree()))
    assert "pw-fw1" in seen and "fw2" not in seen
    below = ("/appliances", Access.NONE), ("/appliances/appliance/bootstrap/files", Access.READ)
    seen = repr(view(schemas, caller(Role.OPERATOR, *below)).tree("", tree()))
    assert "fw1" in seen and "user-data" in seen and "pw-" not in seen and "config': C" in seen
    nothing = view(schemas, caller(Role.READ_ONLY, ("/", Access.NONE)))
    assert nothing.tree("", tree()) == Container() and not nothing.reaches(ROOT)


def test_a_change_and_the_difference_of_what_is_seen_are_the_same(schemas: Schemas) -> None:
    path, before, after = (
        parse("/appliances/appliance[name=fw1]"),
        appliance("fw1", "a"),
        Container({"name": "fw1"}),
    )
    rules = ("/appliances", Access.NONE), ("/appliances/appliance/config", Access.READ)
    for who in (caller(Role.READ_ONLY), caller(Role.OPERATOR, *rules), caller(Role.OPERATOR, rules[0])):
        seeing = view(schemas, who)
        for old, new in ((None, before), (before, None), (before, after), (before, appliance("fw1", "b"))):
            parts, deletes = compare(path, old, new)
            told = seeing.change(Change(path, 1, tuple(parts), tuple(deletes), old), tree())
            wanted = compare(path, seeing.part(path, old, tree()), seeing.part(path, new, tree()))
            found = ([], []) if told is None else (leaves(told), list(told.deletes))
            assert found == (leaves(Change(path, 1, tuple(wanted[0]))), wanted[1])


def leaves(change: Change) -> list[tuple[str, Node]]:
    return [(str(path), value) for path, value in change.updates]


def test_the_longest_rule_decides_and_no_rule_lets_a_reader_write() -> None:
    rules = rules_of(
        Role.READ_ONLY,
        (
            Rule(parse("/a/b"), Access.NONE),
            Rule(parse("/a/*"), Access.READ),
            Rule(parse("/a/b/c[k=1]"), Access.WRITE),
        ),
    )
    found = {
        where: Standing.at(rules, parse(where))
        for where in ("/", "/a/b", "/a/x", "/a/b/c[k=1]", "/a/b/c[k=2]")
    }
    assert [one.access for one in found.values()] == [
        Access.READ, Access.NONE, Access.READ, Access.READ, Access.NONE,
    ]  # fmt: skip
    assert found["/a/b"].reaches and not found["/a/b/c[k=2]"].reaches


def test_a_path_is_named_as_far_as_it_is_seen(schemas: Schemas) -> None:
    seeing = view(schemas, caller(Role.OPERATOR, ("/appliances/appliance[name=fw1]", Access.NONE)))
    assert str(seeing.nearest(parse(f"{FILES}[target=x]/config"))) == "/appliances"
    reader = view(schemas, caller(Role.READ_ONLY))
    assert str(reader.nearest(parse(f"{FILES}[target=x]/config/content"))) == f"{FILES}[target=x]/config"


def test_a_rule_of_all_origins_holds_below_the_root_too(schemas: Schemas) -> None:
    for path in ("*:/appliances/appliance[name=fw1]", "*:/appliances/*"):
        seen = repr(view(schemas, caller(Role.OPERATOR, (path, Access.NONE))).tree("", tree()))
        assert "fw1" not in seen and ("fw2" in seen) is (path != "*:/appliances/*")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/appliances/appliance[name=fw1]/vnics: taken", f"{ANOTHER}: taken"),
        ("the one (/appliances/appliance[name=fw1]), and", f"the one ({ANOTHER}), and"),
        (
            "openconfig:/appliances/appliance[name=a\\]b] is",
            "openconfig:/appliances/appliance[name=a\\]b] is",
        ),
        ("openconfig:/appliances/appliance[name=fw1] is", f"{ANOTHER} is"),
        ("/images/image[name=a]/config/format.", "/images/image[name=a]/config/format."),
        ("see /system/host. It", f"see {ANOTHER}. It"),
        ("1/2 of 3 MiB/s, http://a/b", "1/2 of 3 MiB/s, http://a/b"),
    ],
)
def test_paths_in_a_text_are_found(schemas: Schemas, text: str, told: str) -> None:
    hidden = (f"/{one}" for one in ("appliances/appliance[name=fw1]", "system/host"))
    assert view(schemas, caller(Role.OPERATOR, *((one, Access.NONE) for one in hidden))).text(text) == told
