"""Requests that are wrong: the canonical code, the path, the constraint; nothing changed, no traceback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from e2e.agent import Agent, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from twinplane_client import InvalidError, RefusedError, TwinplaneError
from twinplane_wire.gnmi import gnmi_pb2

pytestmark = pytest.mark.hypervisor

NEW = "/appliances/appliance[name=new]"
OTHER = "/images/image[name=other]"
LAN = switch_path("lan")
STOPPED = {"admin-state": "STOPPED"}
# In the same request as each mistake: a good change must not be made either.
GOOD = {switch_path("good"): switch("good")}


@pytest.fixture(scope="module")
def box(agent: Agent, images: Path) -> Agent:
    """An agent with an image, a switch and an appliance that is switched off."""
    with agent.client() as client:
        client.set(
            replace={
                IMAGE: image(images),
                LAN: switch("lan"),
                APPLIANCE: appliance("fw1", vnic("eth0", 0, "lan"), **STOPPED),
            }
        )
    return agent


@pytest.fixture(autouse=True)
def unchanged(box: Agent) -> Iterator[None]:
    """What is configured and what stands on the host is the same afterwards, and nothing broke."""
    before, lines = standing(box), len(box.lines())
    yield
    assert standing(box) == before
    assert box.process is not None
    assert box.process.poll() is None
    new = box.lines()[lines:]
    assert not [line for line in new if "Traceback" in line or "ERROR" in line or not line.strip()], new
    assert all("INFO" in line or "WARNING" in line for line in new), "each event is one line"


def standing(box: Agent) -> tuple[Any, list[str], list[str], list[str]]:
    """Configuration, devices, qdiscs and files."""
    with box.client() as client:
        configured = value(client, "/", kind="config")
    files = [
        str(path)
        for folder in ("images", "appliances", "trash")
        for path in sorted((box.state_dir / folder).rglob("*"))
    ]
    devices = sorted(row["ifname"] for row in json.loads(box.place.ip("-json", "link")))
    return configured, devices, box.place.tc("qdisc").splitlines(), files


def refused(box: Agent, kind: type[TwinplaneError], **operations: Any) -> TwinplaneError:
    """The error of a Set that also carries a good change."""
    operations["replace"] = {**GOOD, **operations.get("replace", {})}
    with box.client() as client, pytest.raises(kind) as caught:
        client.set(**operations)
    assert "Traceback" not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


# what, the operations, the code, the path to blame, what has to be said
MISTAKES: tuple[tuple[str, dict[str, Any], str, str, tuple[str, ...]], ...] = (
    (
        "a value of the wrong type",
        {"update": {f"{LAN}/config/mtu": "many"}},
        "INVALID_ARGUMENT",
        f"{LAN}/config/mtu",
        ("must be a whole number (uint16)", "'many'"),
    ),
    (
        "a value out of range",
        {"update": {f"{LAN}/config/mtu": 99999}},
        "INVALID_ARGUMENT",
        f"{LAN}/config/mtu",
        ("1280..9216", "99999"),
    ),
    (
        "a write to a path that no module has",
        {"update": {f"{LAN}/config/colour": "red"}},
        "NOT_FOUND",
        f"{LAN}/config/colour",
        ("there is no 'colour'",),
    ),
    (
        "a member that no module has",
        {"update": {f"{LAN}/config": {"colour": "red"}}},
        "INVALID_ARGUMENT",
        f"{LAN}/config/colour",
        ("there is no 'colour'",),
    ),
    (
        "a delete of what no module has",
        {"delete": ["/nonsense"]},
        "INVALID_ARGUMENT",
        "/nonsense",
        ("there is no 'nonsense'",),
    ),
    (
        "an image object that does not exist",
        {"replace": {NEW: appliance("new", **STOPPED, image="none")}},
        "INVALID_ARGUMENT",
        f"{NEW}/config/image",
        ("/images/image[name=none]", "not configured"),
    ),
    (
        "a switch that does not exist",
        {"replace": {NEW: appliance("new", vnic("eth0", 0, "none"), **STOPPED)}},
        "INVALID_ARGUMENT",
        f"{NEW}/vnics/vnic[name=eth0]/config/virtual-switch",
        ("/virtual-switches/virtual-switch[name=none]", "not configured"),
    ),
    (
        "a switch that is still referred to",
        {"delete": [LAN]},
        "INVALID_ARGUMENT",
        LAN,
        (f"{APPLIANCE}/vnics/vnic[name=eth0]/config/virtual-switch refers to it",),
    ),
    (
        "a row of /interfaces that a vNIC owns",
        {"update": {"/interfaces/interface[name=fw1:eth0]/config/mtu": 1400}},
        "INVALID_ARGUMENT",
        "/interfaces/interface[name=fw1:eth0]",
        (f"belongs to {APPLIANCE}/vnics/vnic[name=eth0]", "write to"),
    ),
    (
        "a row of /interfaces that a switch owns",
        {"update": {"/interfaces/interface[name=switch:lan]/config/mtu": 1400}},
        "INVALID_ARGUMENT",
        "/interfaces/interface[name=switch:lan]",
        (f"belongs to {LAN}",),
    ),
    (
        "a state leaf",
        {"update": {f"{APPLIANCE}/state/oper-status": "RUNNING"}},
        "INVALID_ARGUMENT",
        f"{APPLIANCE}/state/oper-status",
        ("state", "cannot be written"),
    ),
    (
        "a missing leaf",
        {"replace": {NEW: {"config": {"name": "new", **STOPPED}}}},
        "INVALID_ARGUMENT",
        f"{NEW}/config/image",
        ("mandatory",),
    ),
    (
        "text where an object belongs",
        {"update": {"/": "hello"}},
        "INVALID_ARGUMENT",
        "/",
        ("the top level must be an object", "'hello'"),
    ),
    (
        "more cores than the host has",
        {"replace": {NEW: {**appliance("new"), "compute": {"share": {"config": {"guarantee": 10**6}}}}}},
        "FAILED_PRECONDITION",
        f"{NEW}/compute/share/config/guarantee",
        ("1000000 millicores do not fit", "at most"),
    ),
)


@pytest.mark.parametrize(
    ("operations", "code", "path", "words"),
    [each[1:] for each in MISTAKES],
    ids=[each[0] for each in MISTAKES],
)
def test_a_mistake_is_named(
    box: Agent, operations: dict[str, Any], code: str, path: str, words: tuple[str, ...]
) -> None:
    error = refused(box, TwinplaneError, **operations)
    assert error.code == code
    blamed = {violation.path: violation.constraint for violation in error.violations}
    assert path in blamed
    for word in words:
        assert word in blamed[path]
    assert path in error.message or len(blamed) > 1


def test_every_mistake_of_a_stage_is_named_at_once(box: Agent) -> None:
    error = refused(
        box,
        InvalidError,
        update={f"{LAN}/config/mtu": 1, f"{APPLIANCE}/memory/config/size": "little"},
        delete=["/nonsense"],
    )
    assert [(violation.path, violation.operation) for violation in error.violations] == [
        ("/nonsense", 0),
        (f"{LAN}/config/mtu", 2),
        (f"{APPLIANCE}/memory/config/size", 3),
    ]


def test_more_memory_than_the_host_has(box: Agent) -> None:
    size = 10 << 40
    error = refused(box, RefusedError, replace={NEW: appliance("new", size=size)})
    (violation,) = error.violations
    assert violation.path == f"{NEW}/memory/config/size"
    assert violation.constraint.startswith(
        f"{size} bytes (10485760 MiB) + 256 MiB overhead do not fit; free "
    )
    most = int(violation.constraint.rpartition("at most ")[2].split()[0])
    assert f"{violation}" == error.message
    # One byte more than what would fit does not fit either; what would fit is not tried on this host.
    error = refused(box, RefusedError, replace={NEW: appliance("new", size=most + 1)})
    assert error.violations[0].constraint.endswith(f"at most {most} bytes ({most >> 20} MiB)")


def test_an_image_file_that_is_not_there(box: Agent, images: Path) -> None:
    document = image(images, name="other", **{"kernel-source": "nowhere/vmlinuz"})
    error = refused(box, RefusedError, replace={OTHER: document})
    (violation,) = error.violations
    assert violation.path == f"{OTHER}/config/kernel-source"
    assert "nowhere/vmlinuz" in violation.constraint
    assert "No such file or directory" in violation.constraint
    assert f"put the file below {images}" in violation.constraint


def test_an_image_file_of_another_digest(box: Agent, images: Path) -> None:
    wanted = f"sha256:{0:064}"
    document = image(images, name="other", **{"initrd-digest": wanted})
    error = refused(box, RefusedError, replace={OTHER: document})
    (violation,) = error.violations
    assert violation.path == f"{OTHER}/config/initrd-source"
    real = image(images)["twinplane-image:config"]["initrd-digest"]
    assert f"firewall/initrd.img has digest {real}, not {wanted}" in violation.constraint


def test_both_image_files_are_looked_at(box: Agent, images: Path) -> None:
    document = image(images, name="other", **{"kernel-source": "../x", "initrd-source": "/etc/passwd"})
    error = refused(box, InvalidError, replace={OTHER: document})
    assert {violation.path for violation in error.violations} == {
        f"{OTHER}/config/kernel-source",
        f"{OTHER}/config/initrd-source",
    }


@pytest.mark.parametrize("method", ["Capabilities", "Get", "Set", "Subscribe"])
def test_bytes_that_are_no_protobuf(box: Agent, method: str) -> None:
    junk = b"\xff\xff\xff\xff"
    with box.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        if method == "Subscribe":
            list(channel.stream_stream(f"/gnmi.gNMI/{method}")(iter((junk,)), timeout=20))
        else:
            channel.unary_unary(f"/gnmi.gNMI/{method}")(junk, timeout=20)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "the bytes are no gnmi." in error.details()


def test_a_method_that_is_not_there(box: Agent) -> None:
    with box.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/gnmi.gNMI/Destroy")(b"", timeout=20)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\x00\x01\x02", b'{"a":1}{"b":2}', b"[" * 5000, b'{"\xff":1}'],
    ids=["nothing", "half", "binary", "two documents", "deep", "no UTF-8"],
)
def test_values_that_are_no_json(box: Agent, text: bytes) -> None:
    request = gnmi_pb2.SetRequest(
        update=[gnmi_pb2.Update(path=gnmi_pb2.Path(), val=gnmi_pb2.TypedValue(json_ietf_val=text))]
    )
    with box.channel() as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/gnmi.gNMI/Set")(request.SerializeToString(), timeout=20)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error.details()
