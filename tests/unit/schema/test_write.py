"""Operations of a Set → edits."""

import json
from typing import Any

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.table import SchemaTable
from twinplane.schema.write import JsonPayload, Payload, ScalarPayload, edits
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.node import Container
from twinplane_wire.path import parse

DELETE, REPLACE, UPDATE = Operation.DELETE, Operation.REPLACE, Operation.UPDATE


def write(table: SchemaTable, operation: Operation, path: str, value: Any) -> tuple[Edit, ...]:
    return edits(table, operation, parse(path), JsonPayload(json.dumps(value).encode()), index=4)


def deleted(table: SchemaTable, path: str) -> list[str]:
    found = edits(table, DELETE, parse(path), index=4)
    assert all(edit.operation is DELETE and edit.index == 4 and edit.value is None for edit in found)
    return [str(edit.path) for edit in found]


def refused(
    table: SchemaTable, operation: Operation, path: str, payload: Payload | None = None
) -> tuple[Fault, str]:
    with pytest.raises(RequestError) as caught:
        edits(table, operation, parse(path), payload, index=4)
    violation = caught.value.violations[0]
    assert violation.operation == 4
    return violation.fault, str(violation.path)


def test_one_leaf(product: SchemaTable) -> None:
    path = "/appliances/appliance[name=fw1]/vnics/vnic[name=wan]/config/mtu"
    (edit,) = write(product, UPDATE, path, 9000)
    assert edit == Edit(
        UPDATE,
        parse(path),
        9000,
        (
            Container({"name": "fw1", "config": Container({"name": "fw1"})}),
            Container({"name": "wan", "config": Container({"name": "wan"})}),
        ),
        4,
    )
    (scalar,) = edits(product, REPLACE, parse(path), ScalarPayload(9000), index=4)
    assert (scalar.operation, scalar.value) == (REPLACE, 9000)


def test_state_cannot_be_written(product: SchemaTable) -> None:
    payload = JsonPayload(b"{}")
    for path in ("/interfaces/interface[name=eth0]/state", "/components", "/system/host"):
        assert refused(product, UPDATE, path, payload) == (Fault.READ_ONLY, path)
        assert refused(product, DELETE, path) == (Fault.READ_ONLY, path)


def test_an_update_needs_a_value(product: SchemaTable) -> None:
    assert refused(product, UPDATE, "/interfaces")[0] is Fault.VALUE


def test_unknown_paths(product: SchemaTable) -> None:
    assert refused(product, UPDATE, "/nope", ScalarPayload(1))[0] is Fault.UNKNOWN_TARGET
    assert refused(product, DELETE, "/nope")[0] is Fault.UNKNOWN_PATH


def test_deletes_of_whole_nodes(product: SchemaTable) -> None:
    for path in ("/", "/interfaces", "/interfaces/interface[name=eth0]", "/interfaces/interface"):
        assert deleted(product, path) == [path]
    assert deleted(product, "/interfaces/interface[name=*]") == ["/interfaces/interface"]
    assert deleted(product, "/interfaces/interface[name=eth0]/config/mtu") == [
        "/interfaces/interface[name=eth0]/config/mtu"
    ]


def test_emptying_a_container_spares_the_key_it_mirrors(product: SchemaTable) -> None:
    entry = "/interfaces/interface[name=eth0]"
    spared = [f"{entry}/config/{name}" for name in ("type", "mtu", "enabled", "description")]
    assert deleted(product, f"{entry}/config") == spared
    assert deleted(product, f"{entry}/*") == spared
    assert deleted(product, f"{entry}/config/*") == spared


def test_a_key_cannot_be_deleted(product: SchemaTable) -> None:
    for leaf in ("name", "config/name"):
        assert refused(product, DELETE, f"/interfaces/interface[name=eth0]/{leaf}")[0] is Fault.CONSTRAINT


def test_wildcard_deletes_name_config_only(product: SchemaTable) -> None:
    assert deleted(product, "/appliances/appliance[name=*]/.../limit") == [
        "/appliances/appliance/compute/share/config/limit",
        "/appliances/appliance/vnics/vnic/share/ingress/config/limit",
        "/appliances/appliance/vnics/vnic/share/egress/config/limit",
    ]


def test_partial_keys_in_a_delete(fixture: SchemaTable) -> None:
    path = "fixture:/samples/sample[name=a]/pairs/pair[number=1]"
    assert deleted(fixture, path) == [path]


def cleared(found: tuple[Edit, ...]) -> list[str]:
    assert all(edit.operation is DELETE for edit in found[:-1])
    return [str(edit.path) for edit in found[:-1]]


def test_setting_a_case_clears_the_others(fixture: SchemaTable) -> None:
    settings = "fixture:/samples/settings"
    tcp = [f"{settings}/tcp-port", f"{settings}/tcp-options"]
    assert cleared(write(fixture, UPDATE, f"{settings}/file-name", "x")) == tcp
    assert cleared(write(fixture, REPLACE, f"{settings}/text-file", "x")) == [*tcp, f"{settings}/binary-file"]
    file = [f"{settings}/file-name", f"{settings}/binary-file", f"{settings}/text-file"]
    assert cleared(write(fixture, UPDATE, f"{settings}/tcp-options/nodelay", True)) == file
    assert cleared(write(fixture, UPDATE, settings, {"tcp-port": 1})) == file
    assert cleared(write(fixture, UPDATE, "fixture:/", {"samples": {"settings": {"tcp-port": 1}}})) == file
    assert cleared(write(fixture, UPDATE, settings, {"config": {"plain": "x"}})) == []


def test_a_leaf_list_without_members_is_none(fixture: SchemaTable) -> None:
    path = "fixture:/samples/sample[name=a]/config/words"
    (edit,) = write(fixture, REPLACE, path, [])
    assert (edit.operation, str(edit.path)) == (DELETE, path)
    assert write(fixture, UPDATE, path, []) == ()


def test_payload_violations_carry_the_operation(product: SchemaTable) -> None:
    payload = JsonPayload(b'{"mtu": 1}')
    assert refused(product, UPDATE, "/virtual-switches/virtual-switch[name=s]/config", payload) == (
        Fault.VALUE,
        "/virtual-switches/virtual-switch[name=s]/config/mtu",
    )
    assert (
        refused(product, REPLACE, "/virtual-switches/virtual-switch[name=s]", JsonPayload(b"{}"))[0]
        is Fault.VALUE
    )
