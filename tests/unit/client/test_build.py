import json

import pytest

from twinplane_client import _build
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import PathSyntaxError, parse

LAN = "/virtual-switches/virtual-switch[name=lan]"


def test_paths() -> None:
    message = _build.wire_path("foo:/a/b[k=x/y]", target="t")
    assert message == gnmi_pb2.Path(
        origin="foo",
        target="t",
        elem=[gnmi_pb2.PathElem(name="a"), gnmi_pb2.PathElem(name="b", key={"k": "x/y"})],
    )
    assert _build.wire_path(parse(LAN)) == _build.wire_path(LAN)
    with pytest.raises(PathSyntaxError):
        _build.wire_path("/a//b")


def test_get() -> None:
    request = _build.get([LAN, "/"], kind="state", encoding="proto", target="t")
    assert request.type == gnmi_pb2.GetRequest.STATE
    assert request.encoding == gnmi_pb2.PROTO
    assert request.prefix.target == "t"
    assert [len(path.elem) for path in request.path] == [2, 0]
    assert not _build.get([LAN]).HasField("prefix")
    assert _build.get([LAN]).encoding == gnmi_pb2.JSON_IETF


def test_set_keeps_the_order_within_a_kind() -> None:
    request = _build.set_(
        delete=["/b", "/a"], replace={LAN: {"config": {"name": "lan"}}}, update={"/z": "ü", "/y": [1, None]}
    )
    assert [path.elem[0].name for path in request.delete] == ["b", "a"]
    assert json.loads(request.replace[0].val.json_ietf_val) == {"config": {"name": "lan"}}
    assert [one.val.json_ietf_val for one in request.update] == ['"ü"'.encode(), b"[1,null]"]
    plain = _build.set_(update={"/a": 1}, encoding="json")
    assert plain.update[0].val.WhichOneof("value") == "json_val"


def test_values_that_are_no_json() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            _build.set_(update={"/a": value})
    with pytest.raises(ValueError, match="json_ietf"):
        _build.set_(update={"/a": 1}, encoding="proto")


def test_subscribe() -> None:
    request = _build.subscribe(
        [LAN],
        mode="sample",
        sample_interval=0.5,
        heartbeat_interval=10,
        suppress_redundant=True,
        updates_only=True,
    ).subscribe
    assert request.mode == gnmi_pb2.SubscriptionList.STREAM
    assert request.updates_only
    (one,) = request.subscription
    assert one.mode == gnmi_pb2.SAMPLE
    assert (one.sample_interval, one.heartbeat_interval) == (500_000_000, 10_000_000_000)
    assert one.suppress_redundant
    once = _build.subscribe([LAN], mode="once").subscribe
    assert once.mode == gnmi_pb2.SubscriptionList.ONCE
    assert _build.subscribe([LAN]).subscribe.subscription[0].mode == gnmi_pb2.ON_CHANGE


def test_what_no_subscription_has_is_refused() -> None:
    with pytest.raises(ValueError, match="'poll' is none of on-change, sample"):
        _build.subscribe(["/a"], mode="poll")  # type: ignore[arg-type]
    for seconds in (-1.0, float("nan"), float("inf"), 1e11):
        with pytest.raises(ValueError, match="an interval is 0 to 10,000,000,000 seconds"):
            _build.subscribe(["/a"], mode="sample", sample_interval=seconds)
        with pytest.raises(ValueError, match="an interval"):
            _build.subscribe(["/a"], heartbeat_interval=seconds)
