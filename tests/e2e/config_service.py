"""The configuration service of an agent that runs as a process, by its generated messages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message

from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2 as pb

METHODS = pb.DESCRIPTOR.services_by_name["Config"].methods_by_name


class Config:
    """Calls over one channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def __call__(self, request: Message) -> Any:
        """The answer to a request; its method is what the message is called."""
        method = METHODS[request.DESCRIPTOR.name.removesuffix("Request")]
        answer = getattr(pb, method.output_type.name)
        path = f"/twinplane.config.v1.Config/{method.name}"
        call = self._channel.unary_unary(path, type(request).SerializeToString, answer.FromString)
        return call(request, timeout=60)

    def refused(self, request: Message) -> tuple[grpc.StatusCode, str]:
        """Code and text of a request that has to be refused."""
        try:
            answer = self(request)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError(f"not refused: {answer}")

    @contextmanager
    def session(self) -> Iterator[int]:
        """A session for as long as the block lasts; its number."""
        path, request = "/twinplane.config.v1.Config/OpenSession", pb.OpenSessionRequest()
        stream = self._channel.unary_stream(
            path, pb.OpenSessionRequest.SerializeToString, pb.SessionEvent.FromString
        )(request)
        try:
            yield next(stream).opened.session_id
        finally:
            stream.cancel()

    def edit(self, session: int, changes: dict[str, Any]) -> None:
        """Replace (or with None remove) objects in the session's private candidate (0: in the shared one)."""
        edits = [
            pb.Edit(
                operation=pb.Edit.REMOVE if value is None else pb.Edit.REPLACE,
                path=wire_path(where),
                value=b"" if value is None else json.dumps(value).encode(),
            )
            for where, value in changes.items()
        ]
        self(pb.EditRequest(session_id=session, edit=edits))


def wire_path(text: str) -> gnmi_pb2.Path:
    """A path as a message."""
    return gnmi_pb2.Path(
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parse(text).elems]
    )


def confirmed(name: str = "", seconds: float = 600, **fields: Any) -> pb.CommitRequest:
    """The request of a commit that has to be confirmed."""
    request = pb.CommitRequest(confirmed=pb.Confirmed(persist_id=name), **fields)
    request.confirmed.timeout.FromNanoseconds(int(seconds * 1e9))
    return request
