import logging
from base64 import b64encode
from urllib.parse import quote

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from twinplane.errors import (
    ApplyError,
    DegradedError,
    DriverError,
    Fault,
    RequestError,
    UnavailableError,
    Violation,
)
from twinplane.services import status as statuses
from twinplane.services.config.error import brief
from twinplane.services.status import CODES, LIMIT, Detail, status_of
from twinplane_wire.path import Elem, Path, parse

CODE = grpc.StatusCode
PATH = parse("/appliances/appliance[name=fw1]/memory/config/size")


def parts(details: bytes) -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    status = status_pb2.Status.FromString(details)
    bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
    for detail in status.details:
        _ = detail.Unpack(bad) or detail.Unpack(info)
    return [(v.field, v.description, v.reason) for v in bad.field_violations], dict(info.metadata)


def test_every_fault_has_a_code_and_none_is_unknown() -> None:
    assert set(CODES) == set(Fault)
    assert CODE.UNKNOWN not in CODES.values()
    assert CODE.OK not in CODES.values()


def test_a_refusal_carries_path_constraint_remedy_and_operation() -> None:
    status = status_of(
        RequestError(Violation(PATH, Fault.CAPACITY, "does not fit", "at most 5", operation=2)), "/x"
    )
    assert status.code is CODE.FAILED_PRECONDITION
    assert status.message == f"{PATH}: does not fit (at most 5)"
    assert parts(status.details) == (
        [(str(PATH), "does not fit (at most 5) [operation 2]", "CAPACITY")],
        {},
    )
    assert status_pb2.Status.FromString(status.details).code == CODE.FAILED_PRECONDITION.value[0]


def test_the_first_violation_gives_the_code() -> None:
    status = status_of(
        RequestError(Violation(PATH, Fault.UNKNOWN_TARGET, "a"), Violation(PATH, Fault.VALUE, "b")), "/x"
    )
    assert status.code is CODE.NOT_FOUND
    assert status.message.endswith("; and 1 more")
    assert len(parts(status.details)[0]) == 2


@pytest.mark.parametrize("detail", [None, brief])
@pytest.mark.parametrize("name", ["lan", "ü" * 90, "ü" * 4000])
@pytest.mark.parametrize("text", ["x" * 50, "ü" * 3000, "y" * 20_000, "\x00\n%" * 400])
@pytest.mark.parametrize("count", [1, 2, 500])
def test_trailers_stay_below_the_limit(text: str, count: int, name: str, detail: Detail | None) -> None:
    path = Path((Elem("appliances"), Elem("appliance", (("name", name),)), Elem(text)))
    violations = [Violation(path, Fault.VALUE, text, text) for _ in range(count)]
    status = status_of(RequestError(*violations), "/x", detail)
    assert len(quote(status.message)) + len(b64encode(status.details)) <= LIMIT
    shown, info = parts(status.details)
    assert shown
    if len(shown) < count:
        assert info == {"violations": str(count)}
    else:
        assert not info


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApplyError(PATH, "tap tp1", "busy", undone=True), CODE.ABORTED),
        (ApplyError(PATH, "tap tp1", "busy", undone=False, left=("tp1",)), CODE.INTERNAL),
        (DegradedError(("tp1",)), CODE.FAILED_PRECONDITION),
        (UnavailableError("starting"), CODE.UNAVAILABLE),
    ],
)
def test_other_errors_of_the_agent(error: Exception, code: grpc.StatusCode) -> None:
    status = status_of(error, "/gnmi.gNMI/Set")
    assert status.code is code
    assert status.message == str(error)


def test_what_is_left_over_names_its_objects() -> None:
    status = status_of(DegradedError(("tap tp1 (busy)",), (PATH,)), "/gnmi.gNMI/Set")
    assert status.code is CODE.FAILED_PRECONDITION
    (violation,), _ = parts(status.details)
    assert violation[0] == str(PATH)
    assert "tap tp1 (busy)" in violation[1]


@pytest.mark.parametrize("error", [ValueError("secret detail"), DriverError("escaped"), KeyError("x")])
def test_what_is_unexpected_is_logged_and_not_told(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        status = status_of(error, "/gnmi.gNMI/Get")
    assert status.code is CODE.INTERNAL
    assert str(error) not in status.message
    incident = status.message.split()[3]
    assert incident in caplog.text
    assert type(error).__name__ in caplog.text


def test_of_what_a_client_wrote_no_more_is_worked_on_than_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may be as long as a request, and nobody else is served meanwhile."""
    lengths: list[int] = []

    def recording(text: str) -> str:
        lengths.append(len(text))
        return quote(text)

    monkeypatch.setattr(statuses, "quote", recording)
    path = Path((Elem("\u00e9" * 100_000),))
    found = status_of(RequestError(Violation(path, Fault.UNKNOWN_PATH, "x" * 100_000)), "/x")
    assert found.message.startswith("/\u00e9")
    assert max(lengths) <= LIMIT
