"""Defaults in use."""

import json
from typing import Any

import pytest

from twinplane.schema.decode import decode
from twinplane.schema.defaults import with_defaults
from twinplane.schema.encode import encode
from twinplane.schema.resolve import resolve
from twinplane.schema.table import SchemaTable
from twinplane.tree.node import Container
from twinplane_wire.path import parse

SETTINGS = "fixture:/samples/settings"


def filled(table: SchemaTable, path: str, value: Any) -> Any:
    target = resolve(table, parse(path), write=True)
    container = decode(table, target, json.dumps(value).encode())
    assert isinstance(container, Container)
    return json.loads(encode(with_defaults(table, target.path, container), target.node, ietf=False))


CONFIG = {"enabled": True, "mask": 31, "shape": "CIRCLE", "tags": ["a", "b"]}


def test_defaults_come_into_absent_containers(fixture: SchemaTable) -> None:
    assert filled(fixture, SETTINGS, {}) == {
        "config": CONFIG,
        "tcp-port": 80,
        "tcp-options": {"nodelay": False},
    }


def test_what_is_set_stays(fixture: SchemaTable) -> None:
    value = {"config": {"enabled": False, "tags": ["c"], "plain": "x"}}
    assert filled(fixture, SETTINGS, value)["config"] == {**CONFIG, **value["config"]}


def test_presence_containers_are_not_made_but_filled(fixture: SchemaTable) -> None:
    assert filled(fixture, SETTINGS, {"optional": {"needed": "x"}})["optional"] == {"needed": "x", "level": 7}


@pytest.mark.parametrize("case", [{"file-name": "x"}, {"text-file": "x"}])
def test_the_default_case_gives_way(fixture: SchemaTable, case: dict[str, str]) -> None:
    assert filled(fixture, SETTINGS, case) == {**case, "config": CONFIG}


def test_defaults_of_a_case_in_force(fixture: SchemaTable) -> None:
    found = filled(fixture, SETTINGS, {"tcp-options": {"nodelay": True}})
    assert found["tcp-port"] == 80
    assert found["tcp-options"] == {"nodelay": True}


def test_defaults_come_into_entries_that_exist(fixture: SchemaTable, product: SchemaTable) -> None:
    value = {
        "pairs": {"pair": [{"number": 1, "shape": "CIRCLE"}, {"number": 2, "shape": "CIRCLE", "weight": 1}]}
    }
    found = filled(fixture, "fixture:/samples/sample[name=a]", value)
    assert [entry["weight"] for entry in found["pairs"]["pair"]] == [50, 1]
    assert "pairs" not in filled(fixture, "fixture:/samples/sample[name=a]", {})
    appliance = filled(product, "/appliances/appliance[name=a]", {"vnics": {"vnic": [{"name": "x"}]}})
    assert appliance == {
        "name": "a",
        "config": {"name": "a", "admin-state": "RUNNING", "stop-timeout": 60},
        "compute": {"config": {"vcpus": 1}},
        "vnics": {"vnic": [{"name": "x", "config": {"name": "x", "mtu": 1500}}]},
    }


def test_an_object_without_missing_defaults_is_itself(fixture: SchemaTable) -> None:
    path = parse(SETTINGS)
    once = with_defaults(fixture, path, Container())
    assert with_defaults(fixture, path, once) is once
    bare = Container({"name": "a"})
    assert with_defaults(fixture, parse("fixture:/samples/sample[name=a]"), bare) is bare
