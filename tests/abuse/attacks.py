"""Requests that are meant to keep the agent from serving others, and large ones that are meant well.

Each attack is bytes of one method, sent `calls` times by `clients` channels of the user of one local socket.
Sizes are those that once stopped the agent, and those just inside its bounds: what is refused at the door
says nothing of what is let in.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.box import document
from bench.client import wire_path
from twinplane.settings import Limits
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.v1 import config_pb2 as pb

BOUND = Limits()
GNMI, CONFIG = "/gnmi.gNMI/", "/twinplane.config.v1.Config/"
ADMIN, READER = "admin.sock", "read.sock"


@dataclass(frozen=True, slots=True)
class Attack:
    """`request` makes the bytes; `codes` are the answers that are right, where a stream without an end has a
    deadline."""

    name: str
    method: str
    request: Callable[[], bytes]
    codes: tuple[str, ...]
    by: str = ADMIN
    stream: bool = False
    clients: int = 1
    calls: int = 1
    seconds: float = 120.0  # deadline of one call


def attacks() -> tuple[Attack, ...]:
    """All of them, in the order of the table."""
    return (*_payloads(), *_operations(), *_paths(), *_reads(), *_crowds(), *_well_meant())


def _payloads() -> Iterable[Attack]:
    refused, wrong = ("RESOURCE_EXHAUSTED",), ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED")
    most = BOUND.members
    for members in (1_000_000, most - 10):
        text = _unknown(members)
        yield Attack(
            f"Validate, {members:,} unknown members",
            CONFIG + "Validate",
            lambda text=text: _validate(text),  # type: ignore[misc]
            (*refused, "OK", "INVALID_ARGUMENT"),
            READER,
        )
    for entries in (1_000_000, most // 4 - 10):
        yield Attack(
            f"Set, {entries:,} equal list entries",
            GNMI + "Set",
            lambda entries=entries: _set("/virtual-switches", _entries(entries, lambda _: "x")),  # type: ignore[misc]
            wrong,
        )
    for ports in (100_000, most // 7):
        yield Attack(
            f"Set, a switch of {ports:,} ports that do not exist",
            GNMI + "Set",
            lambda ports=ports: _set("/virtual-switches", _ports(ports)),  # type: ignore[misc]
            (*wrong, "OK", "FAILED_PRECONDITION"),
        )
    yield Attack("Set, a string of 60 MiB", GNMI + "Set", lambda: _string(60 << 20), wrong)
    yield Attack("Set, the longest string", GNMI + "Set", lambda: _string(BOUND.write_bytes - 1000), wrong)
    yield Attack(
        "Validate, 100,000 arrays in one another",
        CONFIG + "Validate",
        lambda: _validate(b"[" * 100_000),
        (*wrong, "OK"),
        READER,
    )
    yield Attack(
        "Validate, XML of 500,000 elements",
        CONFIG + "Validate",
        lambda: _xml(500_000),
        (*wrong, "OK"),
        READER,
    )
    yield Attack(
        "Validate, XML at the bound", CONFIG + "Validate", lambda: _xml(most - 10), (*wrong, "OK"), READER
    )
    yield Attack(
        "Validate, a number of a million digits",
        CONFIG + "Validate",
        lambda: _validate(b'{"x:y":' + b"9" * 1_000_000 + b"}"),
        (*wrong, "OK"),
        READER,
    )


def _operations() -> Iterable[Attack]:
    wrong = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND")
    most = BOUND.operations
    leaf = "/virtual-switches/virtual-switch[name=net0]/config/description"
    for count in (200_000, most):
        yield Attack(
            f"Set, {count:,} wrong updates",
            GNMI + "Set",
            lambda count=count: _updates(count, "/nowhere/at/all", "x"),
            wrong,
        )  # type: ignore[misc]
    for count in (100_000, most):
        yield Attack(
            f"Set, {count:,} updates of one leaf",
            GNMI + "Set",
            lambda count=count: _updates(count, leaf, "x"),
            (*wrong, "OK"),
        )  # type: ignore[misc]
    for count in (20_000, most):
        yield Attack(
            f"Set, {count:,} deletes of /.../description",
            GNMI + "Set",
            lambda count=count: _deletes(count, "/.../description"),
            (*wrong, "OK"),
        )  # type: ignore[misc]
    for count in (60_000, most):
        yield Attack(
            f"Set, {count:,} deletes of what is not there",
            GNMI + "Set",
            lambda count=count: _deletes(count, "/appliances/appliance[name=no]"),
            (*wrong, "OK"),
        )  # type: ignore[misc]
    yield Attack(f"Set, union_replace of {most:,}", GNMI + "Set", lambda: _union(most), (*wrong, "OK"))
    yield Attack("Edit, 100,000 operations", CONFIG + "Edit", lambda: _edit(100_000), (*wrong, "OK"))
    yield Attack(f"Edit, {most:,} operations", CONFIG + "Edit", lambda: _edit(most), (*wrong, "OK"))


def _paths() -> Iterable[Attack]:
    wrong = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND")
    many = gnmi_pb2.PathElem(name="appliance")
    for number in range(100_000):
        many.key[f"k{number}"] = "v"
    path = gnmi_pb2.Path(elem=[many])
    yield Attack(
        "Set, 100,000 keys in one element",
        GNMI + "Set",
        lambda: gnmi_pb2.SetRequest(delete=[path]).SerializeToString(),
        wrong,
    )
    for count in (100_000, BOUND.paths):
        yield Attack(
            f"Get, {count:,} paths",
            GNMI + "Get",
            lambda count=count: _get(  # type: ignore[misc]
                count, "/appliances/appliance[name=fw0001]/config/description"
            ),
            (*wrong, "OK"),
            READER,
        )
    yield Attack(
        f"Get, {BOUND.paths:,} wildcards",
        GNMI + "Get",
        lambda: _get(BOUND.paths, "/.../nothing"),
        wrong,
        READER,
    )
    yield Attack(
        "Get, 60 times any number of levels",
        GNMI + "Get",
        lambda: _get(100, "/" + "/".join(["...", "*"] * 60)),
        (*wrong, "OK"),
        READER,
    )


def _reads() -> Iterable[Attack]:
    wrong = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "NOT_FOUND")
    yield Attack(
        "Subscribe, 100,000 subscriptions",
        GNMI + "Subscribe",
        lambda: _subscribe(100_000),
        wrong,
        READER,
        stream=True,
    )
    yield Attack(
        "Subscribe, 1,000 subscriptions",
        GNMI + "Subscribe",
        lambda: _subscribe(1_000),
        (*wrong, "OK"),
        READER,
        stream=True,
    )
    yield Attack("Get, everything 20 times", GNMI + "Get", lambda: _get(1, "/"), ("OK",), READER, calls=20)
    yield Attack(
        "ListCommits, 200 times",
        CONFIG + "ListCommits",
        pb.ListCommitsRequest().SerializeToString,
        ("OK", *wrong),
        READER,
        calls=200,
    )


def _crowds() -> Iterable[Attack]:
    session = pb.OpenSessionRequest().SerializeToString
    yield Attack(
        "OpenSession, 150 at once",
        CONFIG + "OpenSession",
        session,
        ("DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"),
        READER,
        stream=True,
        seconds=5.0,
        clients=150,
    )
    yield Attack(
        "Notifications, 100 replays at once",
        CONFIG + "Notifications",
        pb.NotificationsRequest(after_sequence=0, stop_at_now=True).SerializeToString,
        ("OK", "RESOURCE_EXHAUSTED", "INVALID_ARGUMENT", "NOT_FOUND"),
        READER,
        stream=True,
        clients=100,
    )
    yield Attack(
        "Set, the longest string by 24 clients",
        GNMI + "Set",
        lambda: _string(BOUND.write_bytes - 1000),
        ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"),
        clients=24,
    )


def _well_meant() -> Iterable[Attack]:
    yield Attack(
        "well meant: Set of 1,000 appliances",
        GNMI + "Set",
        lambda: _set("/", document(1000), replace=True),
        ("OK",),
    )
    yield Attack(
        "well meant: Set of 1,000 switches",
        GNMI + "Set",
        lambda: _set("/virtual-switches", _entries(1000, lambda number: f"s{number}")),
        ("OK",),
    )
    yield Attack(
        "well meant: CopyConfig of a whole host",
        CONFIG + "CopyConfig",
        lambda: pb.CopyConfigRequest(
            target=pb.CANDIDATE, text=json.dumps(document(1000)).encode()
        ).SerializeToString(),
        ("OK",),
    )


def _set(path: str, value: Any, *, replace: bool = False) -> bytes:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    update = gnmi_pb2.Update(path=wire_path(path), val=gnmi_pb2.TypedValue(json_ietf_val=data))
    wanted = gnmi_pb2.SetRequest(replace=[update]) if replace else gnmi_pb2.SetRequest(update=[update])
    return wanted.SerializeToString()


def _validate(text: bytes) -> bytes:
    return pb.ValidateRequest(text=text).SerializeToString()


def _unknown(members: int) -> bytes:
    return b"{" + b",".join(b'"u%d":0' % number for number in range(members)) + b"}"


def _entries(count: int, name: Callable[[int], str]) -> dict[str, Any]:
    return {"virtual-switch": [{"name": name(n), "config": {"name": name(n)}} for n in range(count)]}


def _ports(count: int) -> dict[str, Any]:
    ports = [{"interface": f"n{n}", "config": {"interface": f"n{n}"}} for n in range(count)]
    switch = {"name": "big", "config": {"name": "big"}, "ports": {"port": ports}}
    return {"virtual-switch": [switch]}


def _string(size: int) -> bytes:
    return _set("/virtual-switches/virtual-switch[name=net0]/config/description", "x" * size)


def _xml(elements: int) -> bytes:
    text = b'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">' + b"<u/>" * elements + b"</config>"
    return pb.ValidateRequest(text=text, encoding=pb.XML).SerializeToString()


def _update(path: str, value: str) -> gnmi_pb2.Update:
    return gnmi_pb2.Update(path=wire_path(path), val=gnmi_pb2.TypedValue(string_val=value))


def _updates(count: int, path: str, value: str) -> bytes:
    one = _update(path, value)
    return gnmi_pb2.SetRequest(update=[one] * count).SerializeToString()


def _deletes(count: int, path: str) -> bytes:
    return gnmi_pb2.SetRequest(delete=[wire_path(path)] * count).SerializeToString()


def _union(count: int) -> bytes:
    one = _update("/virtual-switches/virtual-switch[name=net0]/config/description", "x")
    return gnmi_pb2.SetRequest(union_replace=[one] * count).SerializeToString()


def _edit(count: int) -> bytes:
    path = wire_path("/virtual-switches/virtual-switch[name=net0]/config/description")
    one = pb.Edit(operation=pb.Edit.MERGE, path=path, value=b'"x"')
    return pb.EditRequest(target=pb.CANDIDATE, edit=[one] * count).SerializeToString()


def _get(count: int, path: str) -> bytes:
    asked = [wire_path(path)] * count
    return gnmi_pb2.GetRequest(path=asked, encoding=gnmi_pb2.JSON_IETF).SerializeToString()


def _subscribe(count: int) -> bytes:
    entries = [
        gnmi_pb2.Subscription(path=wire_path(f"/interfaces/interface[name=n{n}]")) for n in range(count)
    ]
    listed = gnmi_pb2.SubscriptionList(subscription=entries, mode=gnmi_pb2.SubscriptionList.ONCE)
    return gnmi_pb2.SubscribeRequest(subscribe=listed).SerializeToString()
