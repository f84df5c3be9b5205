"""The client's side of a row: raw gNMI over the agent's Unix socket, and a folder to work in."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from bench.box import document
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2

SIZE = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@contextmanager
def folder() -> Iterator[Path]:
    """A short-named folder on the disk that state directories are on."""
    with tempfile.TemporaryDirectory(prefix="tpb", dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def channel(address: str) -> grpc.aio.Channel:
    """A channel to a Unix socket."""
    return grpc.aio.insecure_channel(address, options=SIZE)


def admin(addresses: Iterable[str]) -> grpc.aio.Channel:
    """A channel to the agent's socket for administrators, one of the addresses that it gave."""
    return channel(next(one for one in addresses if one.endswith("admin.sock")))


def wire_path(text: str) -> gnmi_pb2.Path:
    """A path as gNMI has it."""
    return gnmi_pb2.Path(
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parse(text).elems]
    )


def get_request(text: str, encoding: int = gnmi_pb2.JSON_IETF) -> bytes:
    """A GetRequest of one path."""
    return gnmi_pb2.GetRequest(path=[wire_path(text)], encoding=encoding).SerializeToString()


def set_request(text: str, value: Any, *, replace: bool = False) -> bytes:
    """A SetRequest that updates or replaces one node."""
    update = gnmi_pb2.Update(
        path=wire_path(text), val=gnmi_pb2.TypedValue(json_ietf_val=json.dumps(value).encode())
    )
    wanted = gnmi_pb2.SetRequest(replace=[update]) if replace else gnmi_pb2.SetRequest(update=[update])
    return wanted.SerializeToString()


def delete_request(*paths: str) -> bytes:
    """A SetRequest that deletes."""
    return gnmi_pb2.SetRequest(delete=[wire_path(path) for path in paths]).SerializeToString()


def call(channel: grpc.aio.Channel, method: str) -> Any:
    """A method of gNMI with bytes in and out."""
    return channel.unary_unary(f"/gnmi.gNMI/{method}")


def configuring(channel: grpc.aio.Channel, request: type[Message]) -> Any:
    """The method of the configuration service that takes such a request."""
    name = request.DESCRIPTOR.name.removesuffix("Request")
    method = config_pb2.DESCRIPTOR.services_by_name["Config"].methods_by_name[name]
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    answer = getattr(config_pb2, method.output_type.name)
    return kind(
        f"/{method.containing_service.full_name}/{name}", request.SerializeToString, answer.FromString
    )


def edit_request(text: str, value: Any) -> config_pb2.EditRequest:
    """An EditRequest that merges one node into the shared candidate."""
    edit = config_pb2.Edit(
        operation=config_pb2.Edit.MERGE, path=wire_path(text), value=json.dumps(value).encode()
    )
    return config_pb2.EditRequest(edit=[edit])


async def fill(channel: grpc.aio.Channel, appliances: int) -> None:
    """Configure a box of so many appliances."""
    await call(channel, "Set")(set_request("/", document(appliances), replace=True), timeout=60)


def subscribe_request(paths: Iterable[str], mode: int = gnmi_pb2.ON_CHANGE, interval: float = 0) -> bytes:
    """A SubscribeRequest for a STREAM of these paths, all in one mode; the interval in seconds."""
    entries = [
        gnmi_pb2.Subscription(path=wire_path(path), mode=mode, sample_interval=int(interval * 1e9))
        for path in paths
    ]
    listed = gnmi_pb2.SubscriptionList(subscription=entries, encoding=gnmi_pb2.PROTO)
    return gnmi_pb2.SubscribeRequest(subscribe=listed).SerializeToString()
