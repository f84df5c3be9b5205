"""A client that speaks the generated messages and nothing else: no help, so that any request can be made."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self

import grpc

from twinplane_wire.gnmi import gnmi_ext_pb2, gnmi_pb2
from twinplane_wire.path import Elem, Path, parse
from twinplane_wire.value import python

pb = gnmi_pb2
ext = gnmi_ext_pb2

PATIENCE = 20.0  # seconds until an answer that does not come is an error
Metadata = Sequence[tuple[str, str]]


def path(text: str = "/", *, origin: str | None = None, target: str = "") -> pb.Path:
    """A Path from its text (`origin:/a/b[k=v]`); names and keys are sent as they are."""
    parsed = parse(text)
    return pb.Path(
        origin=parsed.origin if origin is None else origin,
        elem=[pb.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parsed.elems],
        target=target,
    )


def text(wire: pb.Path) -> str:
    """A Path as text, keys sorted by name."""
    elems = tuple(Elem(elem.name, tuple(sorted(elem.key.items()))) for elem in wire.elem)
    return str(Path(elems, wire.origin))


def joined(prefix: pb.Path, wire: pb.Path) -> str:
    """The absolute path that a prefix and a path make, without the origin."""
    return text(pb.Path(elem=[*prefix.elem, *wire.elem]))


def ietf(value: Any) -> pb.TypedValue:
    """A value as JSON_IETF."""
    return pb.TypedValue(json_ietf_val=json.dumps(value).encode())


def plain(value: Any) -> pb.TypedValue:
    """A value as JSON."""
    return pb.TypedValue(json_val=json.dumps(value).encode())


def update(where: str | pb.Path, value: Any) -> pb.Update:
    """An Update; what is no TypedValue is sent as JSON_IETF."""
    typed = value if isinstance(value, pb.TypedValue) else ietf(value)
    return pb.Update(path=path(where) if isinstance(where, str) else where, val=typed)


def updates(wanted: "dict[str, Any] | Iterable[pb.Update]") -> list[pb.Update]:
    """Updates of a mapping from path to value; others as they are."""
    if isinstance(wanted, dict):
        return [update(where, value) for where, value in wanted.items()]
    return list(wanted)


def leaves(notifications: Iterable[pb.Notification]) -> dict[str, Any]:
    """Every update as absolute path → Python value."""
    return {
        joined(one.prefix, change.path): python(change.val) for one in notifications for change in one.update
    }


def apply(tree: dict[str, Any], notification: pb.Notification) -> None:
    """Bring a client's tree (absolute path → value) up to date: deletes first, then updates (gNMI 2.1)."""
    for gone in notification.delete:
        below = joined(notification.prefix, gone).rstrip("/")
        for known in [name for name in tree if name == below or name.startswith((f"{below}/", f"{below}["))]:
            del tree[known]
    if notification.atomic:
        above = joined(notification.prefix, pb.Path()).rstrip("/")
        for known in [name for name in tree if name.startswith(f"{above}/")]:
            del tree[known]
    tree.update(leaves([notification]))


class Client:
    """The four RPCs over one channel. `metadata` goes with every call that does not bring its own."""

    def __init__(self, channel: grpc.aio.Channel, metadata: Metadata = ()) -> None:
        self.channel = channel
        self.metadata = tuple(metadata)
        self._methods = {
            name: channel.unary_unary(f"/gnmi.gNMI/{name}") for name in ("Capabilities", "Get", "Set")
        }
        self._subscribe = channel.stream_stream("/gnmi.gNMI/Subscribe")

    async def raw(self, method: str, request: bytes, metadata: Metadata | None = None) -> bytes:
        """One call with bytes in and out. Raises AioRpcError."""
        sent = self.metadata if metadata is None else tuple(metadata)
        answer: bytes = await self._methods[method](request, timeout=PATIENCE, metadata=sent)
        return answer

    async def capabilities(self, metadata: Metadata | None = None, **fields: Any) -> pb.CapabilityResponse:
        """Capabilities."""
        request = pb.CapabilityRequest(**fields)
        answer = await self.raw("Capabilities", request.SerializeToString(), metadata)
        return pb.CapabilityResponse.FromString(answer)

    async def get(
        self, *paths: str | pb.Path, metadata: Metadata | None = None, **fields: Any
    ) -> pb.GetResponse:
        """Get; `fields` are those of GetRequest."""
        request = pb.GetRequest(path=[path(one) if isinstance(one, str) else one for one in paths], **fields)
        answer = await self.raw("Get", request.SerializeToString(), metadata)
        return pb.GetResponse.FromString(answer)

    async def value(self, where: str | pb.Path, **fields: Any) -> Any:
        """The one value at a path, in JSON unless an encoding is asked for."""
        (notification,) = (await self.get(where, **fields)).notification
        (found,) = notification.update
        return python(found.val)

    async def set(
        self,
        *,
        delete: Iterable[str | pb.Path] = (),
        replace: "dict[str, Any] | Iterable[pb.Update]" = (),
        update: "dict[str, Any] | Iterable[pb.Update]" = (),
        metadata: Metadata | None = None,
        **fields: Any,
    ) -> pb.SetResponse:
        """Set; mappings are path → value (JSON_IETF), `fields` are those of SetRequest."""
        request = pb.SetRequest(
            delete=[path(one) if isinstance(one, str) else one for one in delete],
            replace=updates(replace),
            update=updates(update),
            **fields,
        )
        answer = await self.raw("Set", request.SerializeToString(), metadata)
        return pb.SetResponse.FromString(answer)

    def stream(self, metadata: Metadata | None = None) -> "Stream":
        """A Subscribe call, open but silent; use as a context manager."""
        return Stream(self._subscribe(metadata=self.metadata if metadata is None else tuple(metadata)))

    def subscribe(self, *entries: str | pb.Subscription, **fields: Any) -> "Stream":
        """A call whose first message is sent on entering; `fields` are those of SubscriptionList."""
        stream = self.stream()
        stream.first = pb.SubscribeRequest(subscribe=subscription_list(*entries, **fields))
        return stream

    async def once(self, *entries: str | pb.Subscription, **fields: Any) -> list[pb.SubscribeResponse]:
        """Every message of a ONCE subscription up to its end. Raises AioRpcError."""
        fields["mode"] = pb.SubscriptionList.ONCE
        async with self.subscribe(*entries, **fields) as stream:
            return [message async for message in stream]


def subscription_list(*entries: str | pb.Subscription, **fields: Any) -> pb.SubscriptionList:
    """A SubscriptionList of paths or of whole Subscriptions."""
    listed = [pb.Subscription(path=path(one)) if isinstance(one, str) else one for one in entries]
    return pb.SubscriptionList(subscription=listed, **fields)


class Stream:
    """One Subscribe call. Leaving the context cancels it."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.first: pb.SubscribeRequest | None = None

    async def __aenter__(self) -> Self:
        if self.first is not None:
            await self.send(self.first)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.call.cancel()

    async def send(self, message: pb.SubscribeRequest | bytes) -> None:
        """One message."""
        raw = message if isinstance(message, bytes) else message.SerializeToString()
        await self.call.write(raw)

    async def poll(self) -> None:
        """A Poll."""
        await self.send(pb.SubscribeRequest(poll=pb.Poll()))

    async def half_close(self) -> None:
        """Nothing more will be sent."""
        await self.call.done_writing()

    async def read(self, seconds: float = PATIENCE) -> pb.SubscribeResponse | None:
        """The next message, None at the end. Raises AioRpcError; TimeoutError where none comes in time."""
        async with asyncio.timeout(seconds):
            raw = await self.call.read()
        return None if raw is grpc.aio.EOF else pb.SubscribeResponse.FromString(raw)

    async def __aiter__(self) -> AsyncIterator[pb.SubscribeResponse]:
        while (message := await self.read()) is not None:
            yield message

    async def until_sync(self) -> list[pb.Notification]:
        """The notifications before the next sync_response."""
        found: list[pb.Notification] = []
        while (message := await self.read()) is not None:
            if message.WhichOneof("response") == "sync_response":
                assert message.sync_response
                return found
            found.append(message.update)
        raise AssertionError("the stream ended without sync_response")

    async def notification(self, seconds: float = PATIENCE) -> pb.Notification:
        """The next message, which has to be a notification."""
        message = await self.read(seconds)
        assert message is not None, "the stream ended"
        assert message.WhichOneof("response") == "update", message
        return message.update

    async def silent(self, seconds: float) -> None:
        """Nothing comes for so long."""
        try:
            message = await self.read(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"unexpected: {message}")

    async def status(self) -> grpc.StatusCode:
        """The code with which the call ends; what comes before is passed over."""
        try:
            while await self.read() is not None:
                pass
        except grpc.aio.AioRpcError as error:
            return error.code()
        code: grpc.StatusCode = await self.call.code()
        return code
