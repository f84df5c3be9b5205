"""What configuration means: judging what a change touches is judging everything."""

import json
from functools import partial
from pathlib import Path as File
from pathlib import PurePath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.clock import Clock
from twinplane.configuration import Configuration, completed
from twinplane.errors import Fault, RequestError, Violation
from twinplane.model.host import Accelerator, Capabilities, Capability
from twinplane.model.rules import Host
from twinplane.schema.compile import load_schema
from twinplane.schema.validate import Validator
from twinplane.schema.write import JsonPayload, edits
from twinplane.state.facts import Batch, HostFact
from twinplane.state.operational import Operational
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Entries
from twinplane.tree.query import get
from twinplane_wire.path import parse

MIB = 1 << 20
SCHEMAS = load_schema(File(__file__).parents[2] / "yang", None)
VALIDATOR = Validator(SCHEMAS)
FEATURES = ("qemu", "libvirt", "kvm", "bridge", "tun", "ifb", "htb", "ingress", "u32", "mirred")
HOST = Capabilities(
    cpus=2,
    memory=1024 * MIB,
    reserve_cpu=0,
    reserve_memory=256 * MIB,
    accelerator=Accelerator.TCG,
    overhead=128 * MIB,
    features=tuple(Capability(name, available=True) for name in FEATURES),
)


def configuration() -> Configuration:
    return Configuration(
        SCHEMAS, VALIDATOR, UUID(int=1), HOST, PurePath("/s"), Host(lambda _: None, lambda _: None)
    )


def write(operation: Operation, path: str, value: Any = None) -> tuple[Edit, ...]:
    payload = None if value is None else JsonPayload(json.dumps(value).encode())
    return edits(SCHEMAS.default, operation, parse(path), payload)


def image(name: str, *, whole: bool) -> tuple[Edit, ...]:
    digest = "sha256:" + "0" * 64
    config = {"name": name, "format": "KERNEL", "kernel-source": "k", "kernel-digest": digest}
    if not whole:
        config["initrd-digest"] = digest  # whose source is missing
    return write(Operation.REPLACE, f"/images/image[name={name}]", {"config": config})


def switch(name: str, ports: list[str]) -> tuple[Edit, ...]:
    body: dict[str, Any] = {"config": {"name": name}}
    if ports:
        body["ports"] = {"port": [{"interface": port, "config": {"interface": port}} for port in ports]}
    return write(Operation.REPLACE, f"/virtual-switches/virtual-switch[name={name}]", body)


def appliance(
    name: str, image: str, switch: str, mac: str | None, memory: int, guarantee: int
) -> tuple[Edit, ...]:
    vnic = {"name": "v", "index": 0, "virtual-switch": switch} | ({"mac-address": mac} if mac else {})
    return write(
        Operation.REPLACE,
        f"/appliances/appliance[name={name}]",
        {
            "config": {"name": name, "type": "twinplane-types:VIRTUAL_MACHINE", "image": image},
            "compute": {"share": {"config": {"guarantee": guarantee}}},
            "memory": {"config": {"size": str(memory * MIB)}},
            "vnics": {"vnic": [{"name": "v", "config": vnic}]},
        },
    )


NAMES = st.sampled_from("ab")
GONE = st.builds(
    lambda kind, name: write(Operation.DELETE, f"/{kind}[name={name}]"),
    st.sampled_from(("images/image", "virtual-switches/virtual-switch", "appliances/appliance")),
    NAMES,
)
OBJECTS = st.one_of(
    st.builds(image, NAMES, whole=st.booleans()),
    st.builds(switch, NAMES, st.lists(st.sampled_from(("eth1", "eth2")), unique=True, max_size=2)),
    st.builds(
        appliance,
        NAMES,
        NAMES,
        NAMES,
        st.sampled_from((None, "52:54:00:00:00:01")),
        st.sampled_from((64, 512)),
        st.sampled_from((0, 500, 1800)),
    ),
    GONE,
)
REQUESTS = st.lists(st.lists(OBJECTS, min_size=1, max_size=3), min_size=1, max_size=8)


def refusal(before: Forest, after: Forest) -> tuple[Violation, ...]:
    """What a fresh judge says of the change from one tree to another; nothing when it accepts."""
    try:
        configuration().judge(before, after, changes(before, after))
    except RequestError as error:
        return error.violations
    return ()


# A box that holds what requests mostly refer to, so that many of them are accepted.
START = configuration().apply(
    NOTHING,
    [edit for part in (image("a", whole=True), image("b", whole=True), switch("a", [])) for edit in part],
)


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_judging_what_is_touched_gives_the_verdict_of_judging_everything(
    requests: list[list[tuple[Edit, ...]]],
) -> None:
    box = configuration()
    running = START
    for request in requests:
        candidate = box.apply(running, [edit for part in request for edit in part])
        try:
            box.judge(running, candidate, changes(running, candidate))
            touched: tuple[Violation, ...] = ()
        except RequestError as error:
            touched = error.violations
        if any(violation.fault is Fault.CAPACITY for violation in touched):
            continue  # what is put aside counts until the commit: admission may be stricter than the result
        assert bool(touched) == bool(refusal(NOTHING, candidate)), touched
        if not touched:
            running = candidate


@settings(max_examples=40, deadline=None)
@given(REQUESTS)
def test_resources_of_a_change_are_the_difference_of_everything(
    requests: list[list[tuple[Edit, ...]]],
) -> None:
    box = configuration()
    running = START
    for request in requests:
        candidate = box.apply(running, [edit for part in request for edit in part])
        if refusal(NOTHING, candidate):
            continue
        try:
            box.judge(running, candidate, changes(running, candidate))
        except RequestError as error:
            # What is put aside counts until the commit: admission may be stricter than the result.
            assert all(violation.fault is Fault.CAPACITY for violation in error.violations)
            continue
        before, after = box.resources(running, candidate, changes(running, candidate))
        old, new = configuration().everything(running), configuration().everything(candidate)
        assert {key: new[key] for key in new if old.get(key) != new[key]}.items() <= dict(after).items()
        assert {key: old[key] for key in old if new.get(key) != old[key]}.items() <= dict(before).items()
        assert dict(after).items() <= new.items()
        running = candidate


def shown(forest: Forest) -> dict[str, dict[str, Any]]:
    """The rows of utilization on this host, were this its configuration."""
    tree = Operational(Clock(), partial(completed, SCHEMAS))
    tree.apply(Batch("host", (HostFact("a", 1, HOST, "i"),), complete=True))
    tree.committed(changes(NOTHING, forest), (), 1, 1)
    rows = get(tree.view, parse("/components/component[name=chassis]/chassis/utilization/resources/resource"))
    assert isinstance(rows, Entries)
    return {name: dict(row.children["state"].children) for (name,), row in rows.entries.items()}


@settings(max_examples=40, deadline=None)
@given(REQUESTS, st.integers(0, 2000), st.integers(16, 1500))
def test_admission_plans_and_utilization_agree(
    requests: list[list[tuple[Edit, ...]]], guarantee: int, memory: int
) -> None:
    """What is shown as free is what a new appliance may ask for, to the last unit."""
    box = configuration()
    running = START
    for request in requests:
        candidate = box.apply(running, [edit for part in request for edit in part])
        if not refusal(running, candidate):
            running = candidate
    planned, rows = box.capacity(running), shown(running)
    assert {name: account.free for name, account in planned.items()} == {
        name: row["free"] for name, row in rows.items()
    }
    assert {name: account.committed for name, account in planned.items()} == {
        name: row["committed"] for name, row in rows.items()
    }
    fits = guarantee <= rows["cpu"]["free"] and memory * MIB + HOST.overhead <= rows["memory"]["free"]
    asked = box.apply(running, appliance("c", "a", "a", None, memory, guarantee))
    refused = refusal(running, asked)
    if all(violation.fault is Fault.CAPACITY for violation in refused):
        assert fits == (not refused)


def test_an_image_that_changes_brings_the_appliances_that_use_it() -> None:
    box = configuration()
    running = box.apply(START, appliance("a", "a", "a", None, 64, 0))
    other = "sha256:" + "1" * 64
    candidate = box.apply(
        running, write(Operation.UPDATE, "/images/image[name=a]/config/kernel-digest", other)
    )
    _, after = box.resources(running, candidate, changes(running, candidate))
    assert any(key.noun.value == "domain" for key in after)


def test_a_label_brings_nobody() -> None:
    box = configuration()
    running = box.apply(START, appliance("a", "a", "a", None, 64, 0))
    candidate = box.apply(running, write(Operation.UPDATE, "/images/image[name=a]/config/description", "x"))
    _, after = box.resources(running, candidate, changes(running, candidate))
    assert not any(key.noun.value == "domain" for key in after)


def test_what_refers_to_nothing_names_leaf_and_remedy() -> None:
    box = configuration()
    candidate = box.apply(START, appliance("a", "nowhere", "a", None, 64, 0))
    with pytest.raises(RequestError, match=r"appliance\[name=a\]/config/image.*not configured"):
        box.judge(START, candidate, changes(START, candidate))
