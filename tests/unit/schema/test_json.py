"""JSON and JSON_IETF payloads to nodes and back."""

import json
from decimal import Decimal
from typing import Any

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.json_ietf import decode, decode_scalar, encode
from twinplane.schema.resolve import resolve
from twinplane.schema.table import SchemaTable
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import parse

SAMPLE = "fixture:/samples/sample[name=a]"


def read(table: SchemaTable, path: str, value: Any, **options: bool) -> Node:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decode(table, resolve(table, parse(path), write=True), data, **options)


def refused(table: SchemaTable, path: str, value: Any, **options: bool) -> list[tuple[str, Fault, str]]:
    with pytest.raises(RequestError) as caught:
        read(table, path, value, **options)
    return [(str(found.path), found.fault, found.constraint) for found in caught.value.violations]


def test_the_key_is_filled_in_from_the_path(fixture: SchemaTable) -> None:
    filled = Container({"name": "a", "config": Container({"name": "a"})})
    assert read(fixture, SAMPLE, {}) == filled
    assert read(fixture, SAMPLE, {"name": "a"}) == filled
    assert read(fixture, SAMPLE, {"config": {"name": "a"}}) == filled
    with_leaf = Container({"name": "a", "config": Container({"name": "a", "uint8": 1})})
    assert read(fixture, SAMPLE, {"config": {"uint8": 1}}) == with_leaf
    assert read(fixture, f"{SAMPLE}/config", {"uint8": 1}) == Container({"name": "a", "uint8": 1})


def test_the_key_may_not_contradict_the_path(fixture: SchemaTable) -> None:
    for path, value, where in (
        (SAMPLE, {"name": "b"}, f"{SAMPLE}/name"),
        (SAMPLE, {"config": {"name": "b"}}, f"{SAMPLE}/config/name"),
        (f"{SAMPLE}/config", {"name": "b"}, f"{SAMPLE}/config/name"),
        (f"{SAMPLE}/config/name", "b", f"{SAMPLE}/config/name"),
        (f"{SAMPLE}/name", "b", f"{SAMPLE}/name"),
    ):
        ((at, fault, constraint),) = refused(fixture, path, value)
        assert (at, fault) == (where, Fault.VALUE)
        assert "key of the entry is 'a'" in constraint
    assert read(fixture, f"{SAMPLE}/config/name", "a") == "a"


def test_entries_of_an_array_fill_their_keys_from_each_other(fixture: SchemaTable) -> None:
    entry = Container({"name": "b", "config": Container({"name": "b"})})
    for value in ({"name": "b"}, {"config": {"name": "b"}}, {"name": "b", "config": {}}):
        assert read(fixture, "fixture:/samples/sample", [value]) == Entries(("name",), {("b",): entry})
    ((at, fault, _),) = refused(
        fixture, "fixture:/samples", {"sample": [{"name": "b", "config": {"name": "c"}}]}
    )
    assert (at, fault) == ("fixture:/samples/sample[name=b]/config/name", Fault.VALUE)
    ((at, _, constraint),) = refused(fixture, "fixture:/samples", {"sample": [{"name": "x"}, {"config": {}}]})
    assert at == "fixture:/samples/sample"
    assert "entry 2" in constraint


def test_two_keys(fixture: SchemaTable) -> None:
    pairs = f"{SAMPLE}/pairs"
    decoded = read(
        fixture, pairs, {"pair": [{"number": 1, "shape": "CIRCLE"}, {"shape": "HEXAGON", "number": 1}]}
    )
    assert isinstance(decoded, Container)
    entries = decoded.get("pair")
    assert isinstance(entries, Entries)
    assert list(entries.entries) == [
        ("1", "twinplane-fixture-types:CIRCLE"),
        ("1", "twinplane-fixture:HEXAGON"),
    ]
    ((at, _, constraint),) = refused(
        fixture,
        pairs,
        {
            "pair": [
                {"number": 1, "shape": "CIRCLE"},
                {"number": 1, "shape": "twinplane-fixture-types:CIRCLE"},
            ]
        },
    )
    assert at == f"{pairs}/pair[number=1][shape=twinplane-fixture-types:CIRCLE]"
    assert "twice" in constraint


def test_names_with_and_without_module(fixture: SchemaTable, product: SchemaTable) -> None:
    plain = read(fixture, SAMPLE, {"config": {"uint8": 1}, "more": {"friend": "b"}})
    for module in ("twinplane-fixture", "openconfig-fixture", "other-fixture"):
        value = {f"{module}:config": {f"{module}:uint8": 1}, "twinplane-fixture-more:more": {"friend": "b"}}
        assert read(fixture, SAMPLE, value) == plain
    value = {"openconfig-interfaces:interfaces": {"interface": [{"name": "eth0"}]}}
    assert isinstance(read(product, "/", value), Container)
    assert refused(fixture, SAMPLE, {"twinplane-fixture:more": {}})[0][1] is Fault.VALUE


def test_one_member_under_two_names_is_refused(fixture: SchemaTable) -> None:
    found = refused(fixture, f"{SAMPLE}/config", {"uint8": 1, "twinplane-fixture:uint8": 1})
    assert found[0][2] == "occurs twice"
    assert "uint8" in refused(fixture, f"{SAMPLE}/config", b'{"uint8": 1, "uint8": 2}')[0][2]


def test_what_is_wrong_in_an_entry_of_an_array_is_placed_there(fixture: SchemaTable) -> None:
    for entry, place in (
        ({"name": "b", "config": {"uint8": "x"}}, "[name=b]/config/uint8"),
        ({"config": {"twinplane-fixture:name": "b", "uint8": "x"}}, "[name=b]/config/uint8"),
        ({"twinplane-fixture:name": "b", "config": {"nothing": 1}}, "[name=b]/config/nothing"),
        ({"config": {"uint8": "x"}}, "/config/uint8"),  # whose it is cannot be told
        ({"name": ["b"], "config": {"uint8": "x"}}, "/config/uint8"),
    ):
        found = refused(fixture, "fixture:/samples", {"sample": [{"name": "a"}, entry]})
        assert f"fixture:/samples/sample{place}" in [at for at, _, _ in found]


def test_every_violation_is_reported_in_path_order(fixture: SchemaTable) -> None:
    value = {"nonsense": 1, "config": {"uint8": 256, "int8": None, "words": "x"}, "state": {"ticks": 1}}
    assert [(at, fault) for at, fault, _ in refused(fixture, SAMPLE, value)] == [
        (f"{SAMPLE}/config/int8", Fault.VALUE),
        (f"{SAMPLE}/config/uint8", Fault.VALUE),
        (f"{SAMPLE}/config/words", Fault.VALUE),
        (f"{SAMPLE}/nonsense", Fault.VALUE),
        (f"{SAMPLE}/state", Fault.READ_ONLY),
    ]


def test_replacing_an_entry_by_nothing_is_refused(fixture: SchemaTable) -> None:
    assert refused(fixture, SAMPLE, {}, replace=True)[0][1] is Fault.VALUE
    assert read(fixture, f"{SAMPLE}/config", {}, replace=True) == Container({"name": "a"})
    assert read(fixture, "fixture:/", {}, replace=True) == Container()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (SAMPLE, None),
        (f"{SAMPLE}/config/uint8", None),
        (f"{SAMPLE}/config/words", None),
        (f"{SAMPLE}/config/words", [None]),
        (SAMPLE, []),
        (SAMPLE, [{"name": "a"}]),
        (f"{SAMPLE}/config", "x"),
        ("fixture:/samples/sample", {}),
        ("fixture:/samples/sample", [5]),
        (f"{SAMPLE}/config/words", "x"),
        (f"{SAMPLE}/config/words", ["x", "x"]),
        (f"{SAMPLE}/config/uint8", [1]),
        (f"{SAMPLE}/config/uint8", {"x": 1}),
    ],
)
def test_the_wrong_shape_is_refused(fixture: SchemaTable, path: str, value: Any) -> None:
    assert refused(fixture, path, value)[0][1] is Fault.VALUE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a':1}",
        b'{"a":1}x',
        b"NaN",
        b'{"config":{"uint8":Infinity}}',
        b"\xff",
        b"[" * 100000,
        b"1" * 5000,
        b'{"\\ud800":1}',
        b'{"config":{"name":"\\uDfff"}}',
    ],
)
def test_what_is_no_json_is_refused(fixture: SchemaTable, data: bytes) -> None:
    ((at, fault, constraint),) = refused(fixture, SAMPLE, data)
    assert (at, fault) == (SAMPLE, Fault.VALUE)
    assert constraint.startswith("the payload is no JSON")


def test_a_payload_above_the_limit(fixture: SchemaTable) -> None:
    target = resolve(fixture, parse(SAMPLE), write=True)
    with pytest.raises(RequestError) as caught:
        decode(fixture, target, b'{"name":"a"}', limit=11)
    assert caught.value.violations[0].fault is Fault.TOO_LARGE


def test_deviated_nodes_are_not_served(fixture: SchemaTable) -> None:
    found = refused(fixture, "fixture:/samples/settings/config", {"hidden": "x"})
    assert found[0][1] is Fault.NOT_SERVED


def test_two_cases_in_one_payload_exclude_each_other(fixture: SchemaTable) -> None:
    found = refused(fixture, "fixture:/samples/settings", {"tcp-port": 1, "file-name": "x"})
    assert [(at, fault) for at, fault, _ in found] == [
        ("fixture:/samples/settings/file-name", Fault.CONSTRAINT)
    ]


def test_state_is_read_where_that_is_asked_for(fixture: SchemaTable) -> None:
    value = {
        "name": "a",
        "state": {"ticks": "5", "step": [{"text": "x"}, {"text": "x"}], "derived": {"flag": True}},
    }
    decoded = read(fixture, SAMPLE, value, writable=False)
    assert json.loads(encode(decoded, fixture.at(parse(SAMPLE)), ietf=False)) == {
        "name": "a",
        "state": {"ticks": 5, "step": [{"text": "x"}, {"text": "x"}], "derived": {"flag": True}},
        "config": {"name": "a"},
    }


def test_numbers_are_exact(fixture: SchemaTable) -> None:
    for text in (b"18446744073709551615", b'"18446744073709551615"'):
        assert read(fixture, f"{SAMPLE}/config/uint64", text) == 2**64 - 1
    assert read(fixture, f"{SAMPLE}/config/decimal18", b"0.100000000000000001") == Decimal(
        "0.100000000000000001"
    )


def test_scalars(fixture: SchemaTable) -> None:
    def scalar(path: str, value: object) -> Node:
        return decode_scalar(fixture, resolve(fixture, parse(path), write=True), value, index=1)

    assert scalar(f"{SAMPLE}/config/uint8", 5) == 5
    assert scalar(f"{SAMPLE}/config/words", ["x", "y"]) == ("x", "y")
    wrong: list[tuple[str, object]] = [
        ("", "x"),
        ("/words", "x"),
        ("/uint8", "5"),
        ("/name", "b"),
        ("/uint8", None),
    ]
    for name, value in wrong:
        with pytest.raises(RequestError) as caught:
            scalar(f"{SAMPLE}/config{name}", value)
        assert caught.value.violations[0].fault is Fault.VALUE
        assert caught.value.violations[0].operation == 1


def test_qualified_names_stand_where_the_module_changes(fixture: SchemaTable) -> None:
    sample = read(
        fixture, SAMPLE, {"config": {"uint64": 1, "identityref": "CIRCLE"}, "more": {"friend": "b"}}
    )
    root = Container({"samples": Container({"sample": Entries(("name",), {("a",): sample})})})  # type: ignore[dict-item]
    body = {
        "name": "a",
        "config": {"name": "a", "uint64": "1", "identityref": "twinplane-fixture-types:CIRCLE"},
        "twinplane-fixture-more:more": {"friend": "b"},
    }
    assert json.loads(encode(root, fixture.root, ietf=True)) == {
        "twinplane-fixture:samples": {"sample": [body]}
    }
    first = json.loads(encode(sample, fixture.at(parse(SAMPLE)), ietf=True))
    assert set(first) == {"twinplane-fixture:name", "twinplane-fixture:config", "twinplane-fixture-more:more"}
    assert json.loads(encode(root, fixture.root, ietf=False)) == {
        "samples": {
            "sample": [
                {
                    "name": "a",
                    "config": {"name": "a", "uint64": 1, "identityref": "CIRCLE"},
                    "more": {"friend": "b"},
                }
            ]
        }
    }


def test_what_is_kept_is_what_would_be_encoded_anew(fixture: SchemaTable) -> None:
    def root(*names: str) -> Container:
        entries = {(name,): read(fixture, f"fixture:/samples/sample[name={name}]", {}) for name in names}
        return Container({"samples": Container({"sample": Entries(("name",), entries)})})  # type: ignore[arg-type]

    kept = root("a", "b")
    for ietf in (True, False, True):
        first = encode(kept, fixture.root, ietf=ietf)
        assert (
            encode(kept, fixture.root, ietf=ietf) == first == encode(root("a", "b"), fixture.root, ietf=ietf)
        )
    samples = kept.children["samples"]
    assert isinstance(samples, Container)
    sample = fixture.find(("samples",))
    assert sample is not None
    assert encode(samples, sample, ietf=True).startswith(b'{"twinplane-fixture:sample":')


def test_a_node_kept_for_one_schema_is_not_used_for_another(
    fixture: SchemaTable, product: SchemaTable
) -> None:
    shared = Container({"name": "x"})
    one, other = fixture.find(("samples", "sample")), product.find(("images", "image"))
    assert one is not None
    assert other is not None
    assert encode(shared, one, ietf=True) == b'{"twinplane-fixture:name":"x"}'
    assert encode(shared, other, ietf=True) == b'{"twinplane-image:name":"x"}'


def test_lists_and_leaves_alone(fixture: SchemaTable) -> None:
    node = fixture.find(("samples", "sample"))
    assert node is not None
    listed = read(fixture, "fixture:/samples/sample", [{"name": "a"}])
    assert encode(listed, node, ietf=False) == b'[{"name":"a","config":{"name":"a"}}]'
    for name, value, text in (
        ("uint64", 5, b'"5"'),
        ("ordered", (3, 1), b'["3","1"]'),
        ("words", ("b",), b'["b"]'),
    ):
        leaf = fixture.find(("samples", "sample", "config", name))
        assert leaf is not None
        assert encode(value, leaf, ietf=True) == text  # type: ignore[arg-type]
