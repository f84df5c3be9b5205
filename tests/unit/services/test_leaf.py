from pathlib import Path as File

import pytest

from twinplane.schema.compile import Schemas, load_schema
from twinplane.services.codec import Encoding
from twinplane.services.gnmi.leaf import LeafEncoder, proto_leaves
from twinplane.services.gnmi.subset import Kind, Subset
from twinplane.tree.node import Container, Entries
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.value import python

LAN = parse("/virtual-switches/virtual-switch[name=lan]")


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schema(File(__file__).parents[3] / "yang", None)


def tree() -> Container:
    entry = Container(
        {
            "name": "lan",
            "config": Container({"name": "lan", "mtu": 1400}),
            "state": Container({"name": "lan", "mtu": 1400, "oper-status": "UP"}),
        }
    )
    return Container(
        {"virtual-switches": Container({"virtual-switch": Entries(("name",), {("lan",): entry})})}
    )


@pytest.mark.parametrize(
    ("encoding", "values"),
    [
        (Encoding.PROTO, [gnmi_pb2.TypedValue(uint_val=1400), gnmi_pb2.TypedValue(string_val="ü")]),
        (Encoding.JSON, [gnmi_pb2.TypedValue(json_val=text.encode()) for text in ("1400", '"ü"')]),
        (Encoding.JSON_IETF, [gnmi_pb2.TypedValue(json_ietf_val=text.encode()) for text in ("1400", '"ü"')]),
    ],
)
def test_each_leaf_is_a_whole_update_field(
    schemas: Schemas, encoding: Encoding, values: list[gnmi_pb2.TypedValue]
) -> None:
    pieces = LeafEncoder(schemas)(LAN.child("config"), [("mtu", 1400), ("description", "ü")], encoding)
    assert len(pieces) == 2
    updates = gnmi_pb2.Notification.FromString(b"".join(pieces)).update
    assert [update.val for update in updates] == values
    for update, name in zip(updates, ("mtu", "description"), strict=True):
        assert [elem.name for elem in update.path.elem] == [
            "virtual-switches",
            "virtual-switch",
            "config",
            name,
        ]
        assert update.path.elem[1].key == {"name": "lan"}


def test_leaves_of_a_tree(schemas: Schemas) -> None:
    found = {}
    for path, schema, value in proto_leaves(tree(), schemas.default.root, b""):
        names = [elem.name for elem in gnmi_pb2.Path.FromString(path).elem]
        assert tuple(names) == schema.path
        found["/".join(names[2:])] = python(gnmi_pb2.TypedValue.FromString(value))
    assert found == {
        "name": "lan",
        "config/name": "lan",
        "config/mtu": 1400,
        "state/name": "lan",
        "state/mtu": 1400,
        "state/oper-status": "UP",
    }


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (Kind.ALL, {"name", "config", "state"}),
        (Kind.CONFIG, {"name", "config"}),
        (Kind.STATE, {"name", "state"}),
        (Kind.OPERATIONAL, {"name", "state"}),
    ],
)
def test_subsets_keep_the_keys_and_are_kept(schemas: Schemas, kind: Kind, kept: set[str]) -> None:
    root = tree()
    subset = Subset(schemas.default, kind)
    part = subset.of(root, schemas.default.root)
    assert isinstance(part, Container)
    switches = part.get("virtual-switches")
    assert isinstance(switches, Container)
    listed = switches.get("virtual-switch")
    assert isinstance(listed, Entries)
    entry = listed.entries["lan",]
    assert set(entry.children) == kept
    if kind is Kind.OPERATIONAL:
        assert entry.get("state") == Container({"oper-status": "UP"})
    assert subset.of(root, schemas.default.root) is part


def test_nothing_wanted_is_nothing(schemas: Schemas) -> None:
    subset = Subset(schemas.default, Kind.ALL, frozenset({"twinplane-image"}))
    assert subset.of(tree(), schemas.default.root) is None
    own = Subset(schemas.default, Kind.CONFIG, frozenset({"twinplane-virtual-switch"}))
    assert own.of(tree(), schemas.default.root) is not None
