"""The standard paths are what OpenConfig collectors expect: names, kinds, keys and types.

`openconfig-paths.tsv` holds the facts: path, kind, rw or ro, module, and a type or ``key=`` of a list.
"""

import pathlib
from typing import NamedTuple

import pytest

from twinplane.schema.compile import load_schema
from twinplane.schema.table import NodeKind, SchemaNode

HERE = pathlib.Path(__file__).parent
TABLE = load_schema(HERE.parents[1] / "yang", None).default

STANDARD = ("interfaces", "components", "system")

# Nodes of our own below the standard trees.
OWN = (("system", "host"), ("interfaces", "interface", "state", "owner"))

# One base type for each of OpenConfig's that the standard leaves of ours have.
BASES = {
    "string": "string",
    "oc-inet:domain-name": "string",
    "boolean": "boolean",
    "uint16": "uint16",
    "uint32": "uint32",
    "uint64": "uint64",
    "oc-yang:counter64": "uint64",
    "oc-types:timeticks64": "uint64",
}


class Fact(NamedTuple):
    kind: str
    mode: str
    type: str


def facts() -> dict[str, Fact]:
    lines = (HERE / "openconfig-paths.tsv").read_text().splitlines()[1:]
    rows = [(line + "\t\t\t\t").split("\t") for line in lines]
    return {row[0]: Fact(row[1], row[2], row[4]) for row in rows}


FACTS = facts()
NODES = [
    node
    for node in TABLE.nodes()
    if node.path[0] in STANDARD and not any(node.path[: len(own)] == own for own in OWN)
]


def text(node: SchemaNode) -> str:
    return "/" + "/".join(node.path)


@pytest.mark.parametrize("node", NODES, ids=text)
def test_the_node_is_a_standard_one(node: SchemaNode) -> None:
    fact = FACTS[text(node)]
    assert node.kind.value == fact.kind
    if fact.mode == "ro":
        assert not node.config
    if node.kind is NodeKind.LIST:
        assert " ".join(node.keys) == fact.type.removeprefix("key=")
    elif node.is_leaf:
        check_type(node, fact.type.partition(" ")[0])


def check_type(node: SchemaNode, wanted: str) -> None:
    spec = node.type
    assert spec is not None
    name, _, inner = wanted.partition("(")
    if name == "leafref" and node.path[-1] == "parent":
        assert spec.base == "string"  # a reference out of its object has the plain type of its target
    elif name == "leafref":
        assert spec.base == "leafref"
        assert spec.target[:-2] == node.path[:-1]
        assert spec.target[-1] == node.path[-1]
        assert spec.target[-2] in ("config", "state")
    elif name == "identityref":
        assert spec.base == "identityref"
    elif name == "enum":
        assert spec.base == "enumeration"
        assert set(spec.enums) <= set(inner.removesuffix(")").split("|"))
    elif name == "union":
        assert "identityref(" in inner
        assert spec.base == "identityref"
    else:
        assert spec.base == BASES[name]


def test_the_paths_that_every_collector_asks_for() -> None:
    for path in (
        "interfaces/interface/state/counters/in-octets",
        "interfaces/interface/state/counters/out-octets",
        "interfaces/interface/state/oper-status",
        "interfaces/interface/state/admin-status",
        "interfaces/interface/config/enabled",
        "components/component/state/type",
        "components/component/chassis/utilization/resources/resource/state/free",
        "system/state/hostname",
        "system/state/boot-time",
        "system/alarms/alarm/state/severity",
    ):
        assert TABLE.find(tuple(path.split("/"))) is not None
