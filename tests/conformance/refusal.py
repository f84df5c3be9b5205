"""What a client sees of a refused call."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status of a call: code, message, and the violations in its details as (field, description)."""

    code: grpc.StatusCode
    message: str
    violations: tuple[tuple[str, str], ...]


async def refused(call: Awaitable[Any], code: grpc.StatusCode | None = None, *named: str) -> Refusal:
    """The refusal of a call, which must have this code and whose message must name all of `named`."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        refusal = of(error)
    else:
        raise AssertionError(f"not refused: {answer}")
    assert code is None or refusal.code is code, refusal
    for name in named:
        assert name in refusal.message, f"{name!r} is not in {refusal.message!r}"
    return refusal


def of(error: grpc.aio.AioRpcError) -> Refusal:
    """The refusal in an exception."""
    violations: list[tuple[str, str]] = []
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS:
            assert isinstance(value, bytes)
            for detail in status_pb2.Status.FromString(value).details:
                bad = error_details_pb2.BadRequest()
                if detail.Unpack(bad):
                    violations += [(one.field, one.description) for one in bad.field_violations]
    return Refusal(error.code(), error.details() or "", tuple(violations))
