from twinplane_client import Notification, Sync, Update, _parse
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, parse

PathElem, Value = gnmi_pb2.PathElem, gnmi_pb2.TypedValue


def test_a_notification_has_absolute_paths() -> None:
    message = gnmi_pb2.Notification(
        timestamp=5,
        prefix=gnmi_pb2.Path(elem=[PathElem(name="a", key={"z": "1", "b": "2"})], origin="o", target="t"),
        update=[
            gnmi_pb2.Update(
                path=gnmi_pb2.Path(elem=[PathElem(name="c")]), val=Value(json_ietf_val=b"[1]"), duplicates=2
            )
        ],
        delete=[gnmi_pb2.Path(elem=[PathElem(name="d")])],
    )
    first = Elem("a", (("b", "2"), ("z", "1")))
    parsed = _parse.notification(message)
    assert parsed.updates == (Update(parse("o:/x")._replace(elems=(first, Elem("c"))), [1], 2),)
    assert parsed.deletes == (parse("o:/x")._replace(elems=(first, Elem("d"))),)
    assert (parsed.timestamp, parsed.target, parsed.atomic) == (5, "t", False)


def test_stream_items() -> None:
    update = gnmi_pb2.SubscribeResponse(update=gnmi_pb2.Notification(timestamp=1))
    assert _parse.stream_item(update) == Notification(1)
    assert _parse.stream_item(gnmi_pb2.SubscribeResponse(sync_response=True)) is Sync.SYNC


def test_answers() -> None:
    answer = gnmi_pb2.CapabilityResponse(
        gNMI_version="0.10.0",
        supported_encodings=[0, 4],  # type: ignore[list-item]
        supported_models=[gnmi_pb2.ModelData(name="m", organization="o", version="1")],
    )
    found = _parse.capabilities(answer)
    assert found == _parse.Capabilities("0.10.0", (_parse.Model("m", "o", "1"),), ("JSON", "JSON_IETF"))
    done = gnmi_pb2.SetResponse(
        timestamp=7,
        prefix=gnmi_pb2.Path(elem=[PathElem(name="a")]),
        response=[gnmi_pb2.UpdateResult(op=1, path=gnmi_pb2.Path(elem=[PathElem(name="b")]))],  # type: ignore[arg-type]
    )
    assert _parse.set_(done) == _parse.SetResult(7, (("DELETE", parse("/a/b")),))
