"""gRPC's standard services, health and server reflection, behind the same door as all others.

Who has no certificate that counts, or no password, learns nothing from them; who is let in has a stream of
health end as any other of theirs does. See https://github.com/grpc/grpc/blob/master/doc/health-checking.md.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.role import Access
from twinplane.services.auth import Caller
from twinplane.services.rpc import Door, Service, Write, stream, unary
from twinplane_wire.path import ROOT

Status = health_pb2.HealthCheckResponse
NAMES: tuple[str, str] = (health.SERVICE_NAME, reflection.SERVICE_NAME)


class Standard:
    """What the agent offers, and whether it serves. One object serves all listeners; event loop only."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are the full names of the agent's own services."""
        self._names = ("", *names)
        self._serving = False
        self._changed = asyncio.Event()
        self._reflected = reflection.aio.ReflectionServicer((*names, *NAMES))

    def set_serving(self, serving: bool) -> None:
        """What the health service answers, for the agent as a whole and for each service."""
        self._serving = serving
        self._changed.set()
        self._changed = asyncio.Event()

    def behind(self, door: Door) -> Service:
        """Both services as one listener offers them."""
        request = health_pb2.HealthCheckRequest
        methods = {
            "Check": unary(door, "Check", Access.READ, request, self._check),
            "Watch": stream(door, "Watch", Access.READ, request, self._watch),
        }
        reflected = stream(
            door,
            "ServerReflectionInfo",
            Access.READ,
            reflection_pb2.ServerReflectionRequest,
            self._reflect,
        )
        return _Both(
            grpc.method_handlers_generic_handler(NAMES[0], methods),
            grpc.method_handlers_generic_handler(NAMES[1], {"ServerReflectionInfo": reflected}),
        )

    async def _check(self, _: Caller, request: health_pb2.HealthCheckRequest) -> bytes:
        if request.service not in self._names:
            text = f"there is no service {request.service!r}"
            raise RequestError(Violation(ROOT, Fault.UNKNOWN_TARGET, text, "reflection lists them"))
        return self._answer(request.service)

    async def _watch(
        self, _: Caller, requests: AsyncIterator[health_pb2.HealthCheckRequest], write: Write
    ) -> None:
        async for request in requests:
            said = b""
            while True:
                changed, answer = self._changed, self._answer(request.service)
                if answer != said:
                    await write(answer)
                    said = answer
                await changed.wait()

    async def _reflect(
        self, _: Caller, requests: AsyncIterator[reflection_pb2.ServerReflectionRequest], write: Write
    ) -> None:
        async for answer in self._reflected.ServerReflectionInfo(requests, None):
            await write(answer.SerializeToString())

    def _answer(self, service: str) -> bytes:
        if service not in self._names:
            value = Status.SERVICE_UNKNOWN
        else:
            value = Status.SERVING if self._serving else Status.NOT_SERVING
        encoded: bytes = Status(status=value).SerializeToString()
        return encoded


class _Both(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Two services as one."""

    def __init__(self, *services: Service) -> None:
        self._services = services

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        found = (one.service(handler_call_details) for one in self._services)
        return next((handler for handler in found if handler is not None), None)
