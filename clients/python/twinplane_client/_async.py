"""The client for asyncio. A thin driver: requests come from `_build`, results from `_parse`."""

from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from twinplane_client import _build, _parse
from twinplane_client._build import DataType, EncodingName, Mode, PathLike, ReplacedPath, UpdatedPath
from twinplane_client._channel import SERVICE, Target, translated
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.value import Value


class AsyncClient:
    """Calls one target. Use it as an asynchronous context manager; one connection serves all calls.

    Every call that the target does not answer well raises a `TwinplaneError` of the kind that fits; an
    argument that is none is a ValueError. Making one raises OSError where a file of the target cannot be
    read.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel = (
            grpc.aio.insecure_channel(target.uri, options=target.options())
            if target.is_local
            else grpc.aio.secure_channel(target.address, target.credentials(), options=target.options())
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection and every call on it."""
        await self._channel.close(None)

    async def capabilities(self) -> _parse.Capabilities:
        """The models, encodings and version that the target speaks."""
        answer = await self._call("Capabilities", _build.capabilities(), gnmi_pb2.CapabilityResponse)
        return _parse.capabilities(answer)

    async def get(
        self,
        *paths: PathLike,
        kind: DataType = "all",
        encoding: EncodingName = "json_ietf",
        target: str = "",
    ) -> tuple[_parse.Notification, ...]:
        """A snapshot: one notification for each path, in their order."""
        request = _build.get(paths, kind=kind, encoding=encoding, target=target)
        return _parse.get(await self._call("Get", request, gnmi_pb2.GetResponse))

    async def set(
        self,
        *,
        delete: Iterable[PathLike] = (),
        replace: Mapping[ReplacedPath, Value] | None = None,
        update: Mapping[UpdatedPath, Value] | None = None,
        encoding: EncodingName = "json_ietf",
        target: str = "",
    ) -> _parse.SetResult:
        """One transaction: all of it happened, or the error says why nothing did."""
        request = _build.set_(delete=delete, replace=replace, update=update, encoding=encoding, target=target)
        return _parse.set_(await self._call("Set", request, gnmi_pb2.SetResponse))

    async def subscribe(
        self,
        *paths: PathLike,
        mode: Mode = "on-change",
        sample_interval: float = 0.0,
        heartbeat_interval: float = 0.0,
        suppress_redundant: bool = False,
        updates_only: bool = False,
        encoding: EncodingName = "json_ietf",
        target: str = "",
    ) -> AsyncIterator[_parse.StreamItem]:
        """Notifications, and one `Sync` after the initial values. Ends by itself in mode once."""
        request = _build.subscribe(
            paths,
            mode=mode,
            sample_interval=sample_interval,
            heartbeat_interval=heartbeat_interval,
            suppress_redundant=suppress_redundant,
            updates_only=updates_only,
            encoding=encoding,
            target=target,
        )
        method = self._channel.stream_stream(
            SERVICE + "Subscribe",
            request_serializer=gnmi_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=gnmi_pb2.SubscribeResponse.FromString,
        )
        call: Any = method(iter((request,)), metadata=self._target.metadata())
        try:
            async for message in call:
                yield _parse.stream_item(message)
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None
        finally:
            call.cancel()

    async def _call(self, name: str, request: Message, answer: Any) -> Any:
        method = self._channel.unary_unary(
            SERVICE + name,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return await method(request, timeout=self._target.timeout, metadata=self._target.metadata())
        except grpc.aio.AioRpcError as error:
            raise translated(error) from None
