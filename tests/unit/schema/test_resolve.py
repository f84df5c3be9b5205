"""Paths against the schema."""

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.resolve import expand, resolve
from twinplane.schema.table import SchemaTable
from twinplane.tree.node import Container
from twinplane_wire.path import Elem, Path, parse


def refused(table: SchemaTable, path: Path | str, *, write: bool = False) -> tuple[Fault, str, str]:
    with pytest.raises(RequestError) as caught:
        resolve(table, parse(path) if isinstance(path, str) else path, write=write, operation=3)
    (violation,) = caught.value.violations
    assert violation.operation == 3
    return violation.fault, str(violation.path), violation.constraint


def test_a_concrete_path(product: SchemaTable) -> None:
    path = parse("/appliances/appliance[name=fw1]/vnics/vnic[name=wan]/config/mtu")
    resolved = resolve(product, path, write=True)
    assert resolved.path == path
    assert resolved.node is product.at(path)
    assert resolved.entries == (
        Container({"name": "fw1", "config": Container({"name": "fw1"})}),
        Container({"name": "wan", "config": Container({"name": "wan"})}),
    )


def test_the_root(product: SchemaTable) -> None:
    assert resolve(product, Path(), write=True).node is product.root


def test_names_may_carry_their_module(product: SchemaTable) -> None:
    plain = parse("/interfaces/interface[name=eth0]/config/mtu")
    for module in ("twinplane-interfaces", "openconfig-interfaces"):
        path = parse(f"/{module}:interfaces/interface[name=eth0]/{module}:config/mtu")
        assert resolve(product, path, write=True).path == plain
    assert refused(product, "/openconfig-system:interfaces")[0] is Fault.UNKNOWN_PATH


def test_the_default_origin_has_two_names(product: SchemaTable, fixture: SchemaTable) -> None:
    assert resolve(product, parse("openconfig:/system"), write=False).path == parse("/system")
    assert resolve(fixture, parse("fixture:/samples"), write=False).path.origin == "fixture"


@pytest.mark.parametrize("spelling", ["007", "7", "+7"])
def test_keys_are_canonical_and_in_schema_order(fixture: SchemaTable, spelling: str) -> None:
    elem = Elem("pair", (("shape", "CIRCLE"), ("number", spelling)))
    path = parse("fixture:/samples/sample[name=a]/pairs").join((elem,))
    resolved = resolve(fixture, path, write=True)
    assert resolved.path.elems[-1].keys == (("number", "7"), ("shape", "twinplane-fixture-types:CIRCLE"))
    assert resolved.entries[-1] == Container({"number": 7, "shape": "twinplane-fixture-types:CIRCLE"})


def test_any_character_may_be_in_a_key(fixture: SchemaTable) -> None:
    name = "a/b[c]=\\ü *"
    path = Path((Elem("samples"), Elem("sample", (("name", name),))), "fixture")
    assert resolve(fixture, path, write=True).path == path


def test_reads_and_deletes_may_leave_keys_open(fixture: SchemaTable) -> None:
    for text in ("/samples/sample", "/samples/sample[name=*]"):
        resolved = resolve(fixture, parse(f"fixture:{text}/config"), write=False)
        assert str(resolved.path) == "fixture:/samples/sample/config"
        assert resolved.entries == ()
    partial = resolve(
        fixture, parse("fixture:/samples/sample[name=a]/pairs/pair[number=1][shape=*]"), write=False
    )
    assert partial.path.elems[-1].keys == (("number", "1"),)


def test_a_list_named_last_needs_no_key_in_a_write(product: SchemaTable) -> None:
    assert resolve(product, parse("/appliances/appliance"), write=True).path == parse("/appliances/appliance")


@pytest.mark.parametrize(
    ("path", "fault", "where"),
    [
        ("/interfaces/interfacex", Fault.UNKNOWN_PATH, "/interfaces/interfacex"),
        ("/nope/x", Fault.UNKNOWN_PATH, "/nope"),
        ("/system[name=x]/state", Fault.SYNTAX, "/system[name=x]"),
        ("/system/state/hostname[x=y]", Fault.SYNTAX, "/system/state/hostname[x=y]"),
        ("/interfaces/interface[label=x]", Fault.SYNTAX, "/interfaces/interface[label=x]"),
        ("/interfaces/interface[name=x][name=y]", Fault.SYNTAX, "/interfaces/interface[name=x][name=y]"),
        ("/appliances/appliance[name=FW]/config", Fault.VALUE, "/appliances/appliance[name=FW]"),
        ("/appliances/appliance[name=x]/vnics/vnic[name=a]/config/attachment", Fault.UNKNOWN_PATH, ""),
        ("/system/state/hostname/more", Fault.UNKNOWN_PATH, "/system/state/hostname/more"),
    ],
)
def test_what_is_wrong_is_named(product: SchemaTable, path: str, fault: Fault, where: str) -> None:
    found, at, constraint = refused(product, path)
    assert found is fault
    assert at == (where or path)
    assert constraint


def test_an_empty_name_is_malformed(product: SchemaTable) -> None:
    assert refused(product, Path((Elem(""),)))[0] is Fault.SYNTAX


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/nope", Fault.UNKNOWN_TARGET),
        ("/appliances/appliance/config", Fault.SYNTAX),
        ("/appliances/appliance[name=*]/config", Fault.SYNTAX),
        ("/appliances/*", Fault.SYNTAX),
        ("/.../config", Fault.SYNTAX),
    ],
)
def test_writes_are_stricter(product: SchemaTable, path: str, fault: Fault) -> None:
    assert refused(product, path, write=True)[0] is fault


def test_a_write_with_some_of_the_keys(fixture: SchemaTable) -> None:
    fault, _, constraint = refused(
        fixture, "fixture:/samples/sample[name=a]/pairs/pair[number=1]", write=True
    )
    assert fault is Fault.SYNTAX
    assert "shape" in constraint


def test_leaf_list_members_and_keyless_lists_have_no_address(fixture: SchemaTable) -> None:
    assert refused(fixture, "fixture:/samples/sample[name=a]/config/words[.=x]")[0] is Fault.SYNTAX
    assert refused(fixture, "fixture:/samples/sample[name=a]/state/step[text=x]")[0] is Fault.SYNTAX
    assert resolve(fixture, parse("fixture:/samples/sample[name=a]/state/step"), write=False).node.keys == ()


def test_a_deviated_node_is_not_served(fixture: SchemaTable) -> None:
    assert refused(fixture, "fixture:/samples/settings/config/hidden")[0] is Fault.NOT_SERVED


def paths(table: SchemaTable, text: str) -> list[str]:
    return [str(resolved.path) for resolved in expand(table, parse(text))]


def test_a_star_is_one_level(product: SchemaTable) -> None:
    assert paths(product, "/*/*/config/description") == [
        "/images/image/config/description",
        "/virtual-switches/virtual-switch/config/description",
        "/appliances/appliance/config/description",
        "/interfaces/interface/config/description",
    ]
    assert paths(product, "/interfaces/*[name=eth0]/config/mtu") == [
        "/interfaces/interface[name=eth0]/config/mtu"
    ]
    assert paths(product, "/system/*") == ["/system/state", "/system/alarms", "/system/host"]


def test_dots_are_any_number_of_levels(product: SchemaTable) -> None:
    assert paths(product, "/interfaces/.../enabled") == [
        "/interfaces/interface/config/enabled",
        "/interfaces/interface/state/enabled",
    ]
    assert paths(product, "/interfaces/...") == ["/interfaces"]
    assert paths(product, "/appliances/appliance[name=a]/.../limit")[0] == (
        "/appliances/appliance[name=a]/compute/share/config/limit"
    )


def test_matches_below_matches_are_left_out(product: SchemaTable) -> None:
    found = paths(product, "/appliances/.../share")
    assert found == ["/appliances/appliance/compute/share", "/appliances/appliance/vnics/vnic/share"]


def test_a_wildcard_without_match_is_refused(product: SchemaTable) -> None:
    with pytest.raises(RequestError) as caught:
        expand(product, parse("/*/nope"))
    assert caught.value.violations[0].fault is Fault.UNKNOWN_PATH


def test_deviated_nodes_match_no_wildcard(fixture: SchemaTable) -> None:
    assert "fixture:/samples/settings/config/hidden" not in paths(
        fixture, "fixture:/samples/settings/config/*"
    )
