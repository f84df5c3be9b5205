"""libyang's judgement in our terms."""

import json
from typing import Any

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.schema.decode import decode
from twinplane.schema.resolve import resolve
from twinplane.schema.table import SchemaTable
from twinplane.schema.validate import Validator
from twinplane.tree.node import Container
from twinplane_wire.path import Path, parse

FW1 = "/appliances/appliance[name=fw1]"
GOOD: dict[str, Any] = {
    "config": {"type": "VIRTUAL_MACHINE", "image": "tiny"},
    "memory": {"config": {"size": 268435456}},
}


def made(table: SchemaTable, path: str, value: Any) -> tuple[Path, Container]:
    target = resolve(table, parse(path), write=True)
    decoded = decode(table, target, json.dumps(value).encode())
    assert isinstance(decoded, Container)
    return target.path, decoded


def refused(validator: Validator, *objects: tuple[Path, Container]) -> list[tuple[str, str, str]]:
    with pytest.raises(RequestError) as caught:
        validator.judge(objects)
    assert all(found.fault is Fault.CONSTRAINT for found in caught.value.violations)
    return [(str(found.path), found.constraint, found.remedy) for found in caught.value.violations]


def test_good_objects(validator: Validator, product: SchemaTable, fixture: SchemaTable) -> None:
    validator.judge(
        [
            made(product, FW1, GOOD),
            made(product, "/interfaces/interface[name=eth0]", {"config": {"type": "ethernetCsmacd"}}),
            made(fixture, "fixture:/samples/settings", {"config": {"low": 1, "high": 2}}),
            made(fixture, "fixture:/samples/sample[name=a]", {"more": {"friend": "nobody"}}),
        ]
    )


def test_missing_leaves_are_named_also_below_absent_containers(
    validator: Validator, product: SchemaTable
) -> None:
    assert refused(validator, made(product, FW1, {"config": {"type": "VIRTUAL_MACHINE"}})) == [
        (f"{FW1}/config/image", "is mandatory and missing", "set it"),
        (f"{FW1}/memory/config/size", "is mandatory and missing", "set it"),
    ]


def test_all_violations_of_all_objects_in_path_order(validator: Validator, product: SchemaTable) -> None:
    vnics = {
        "vnic": [
            {"name": "a", "config": {"index": 1}},
            {
                "name": "b",
                "config": {"index": 1, "virtual-switch": "lan"},
                "share": {"egress": {"config": {"burst": 5}}},
            },
        ]
    }
    share = {"share": {"config": {"guarantee": 100, "limit": 60}}}
    image = {"config": {"format": "KERNEL", "initrd-digest": f"sha256:{'0' * 64}"}}
    first = made(product, "/images/image[name=tiny]", image)
    found = refused(validator, made(product, FW1, {**GOOD, "compute": share, "vnics": vnics}), first)
    assert [(path, constraint) for path, constraint, _ in found] == [
        (f"{FW1}/compute/share/config/limit", "limit is below guarantee"),
        (f"{FW1}/vnics/vnic[name=a]/config", "'attachment' is mandatory and missing"),
        (
            f"{FW1}/vnics/vnic[name=b]/config/index",
            "config/index must be unique, and vnic[name=a] has the same",
        ),
        (f"{FW1}/vnics/vnic[name=b]/share/egress/config/burst", "burst needs limit"),
        ("/images/image[name=tiny]/config/initrd-digest", "initrd-digest needs initrd-source"),
        ("/images/image[name=tiny]/config/kernel-digest", "is mandatory and missing"),
        ("/images/image[name=tiny]/config/kernel-source", "is mandatory and missing"),
    ]
    assert (
        next(remedy for path, _, remedy in found if path.endswith("[name=a]/config")) == "set virtual-switch"
    )


def test_addresses_are_unique_within_an_appliance(validator: Validator, product: SchemaTable) -> None:
    config = {"mac-address": "52:54:00:00:00:01", "virtual-switch": "lan"}
    vnics = [{"name": name, "config": {**config, "index": index}} for index, name in enumerate("ab")]
    assert refused(validator, made(product, FW1, {**GOOD, "vnics": {"vnic": vnics}})) == [
        (
            f"{FW1}/vnics/vnic[name=b]/config/mac-address",
            "config/mac-address must be unique, and vnic[name=a] has the same",
            "",
        )
    ]


def test_messages_of_the_fixture(validator: Validator, fixture: SchemaTable) -> None:
    settings = made(fixture, "fixture:/samples/settings", {"config": {"low": 9, "high": 2}, "optional": {}})
    assert refused(validator, settings) == [
        ("fixture:/samples/settings/config/low", "low is above high", ""),
        ("fixture:/samples/settings/optional/needed", "is mandatory and missing", "set it"),
    ]


@pytest.mark.parametrize("name", ["it's", 'say "x"', "both ' and \"", "a/b[c]=\\ü"])
def test_quotes_in_keys(validator: Validator, product: SchemaTable, name: str) -> None:
    path = parse(f"{FW1}/bootstrap/files")
    target = path.child("file", ("target", name))
    value = {**GOOD, "bootstrap": {"files": {"file": [{"target": name}]}}}
    ((found, _, _),) = refused(validator, made(product, FW1, value))
    assert found == str(target.child("config").child("content"))


def test_an_entry_whose_mirrored_key_is_missing(validator: Validator, product: SchemaTable) -> None:
    path, container = made(product, FW1, GOOD)
    broken = Container({name: child for name, child in container.children.items() if name != "config"})
    found = refused(validator, (path, broken))
    assert (f"{FW1}/name", '"fw1" is not the value of ../config/name', "") in found


def test_what_libyang_cannot_read_hides_what_follows_from_it(
    validator: Validator, product: SchemaTable
) -> None:
    path, container = made(product, FW1, GOOD)
    config = Container({"name": "fw1", "type": "twinplane-types:NOTHING", "image": "tiny"})
    with pytest.raises(RequestError) as caught:
        validator.judge([(path, Container({**container.children, "config": config}))])
    (violation,) = caught.value.violations
    assert violation.fault is Fault.VALUE
    assert str(violation.path) == f"{FW1}/config/type"


def test_a_refusal_leaves_no_trace_on_the_next(validator: Validator, product: SchemaTable) -> None:
    refused(validator, made(product, FW1, {}))
    validator.judge([made(product, FW1, GOOD)])
    assert len(refused(validator, made(product, FW1, {"memory": GOOD["memory"]}))) == 2
