import grpc
import pytest

import twinplane_client
from twinplane.errors import Fault, RequestError
from twinplane.errors import Violation as AgentViolation
from twinplane.services.status import DETAILS_KEY, status_of
from twinplane_client import errors
from twinplane_wire.path import parse


def test_what_the_agent_sends_is_understood() -> None:
    path = parse("/appliances/appliance[name=fw1]")
    sent = status_of(
        RequestError(
            AgentViolation(path, Fault.CAPACITY, "too big", "at most 5", operation=2),
            AgentViolation(path, Fault.VALUE, "odd"),
        ),
        "Set",
    )
    error = errors.from_status(sent.code, sent.message, ((DETAILS_KEY, sent.details),))
    assert isinstance(error, errors.RefusedError)
    assert error.code == "FAILED_PRECONDITION"
    assert error.violations == (
        errors.Violation(str(path), "too big (at most 5)", "CAPACITY", 2),
        errors.Violation(str(path), "odd", "VALUE", None),
    )
    assert error.violation_count == 2


def test_more_violations_than_fit_are_counted() -> None:
    many = [AgentViolation(parse(f"/a[k={number}]"), Fault.VALUE, "x" * 100) for number in range(300)]
    sent = status_of(RequestError(*many), "Set")
    error = errors.from_status(sent.code, sent.message, ((DETAILS_KEY, sent.details),))
    assert error.violation_count == 300
    assert 0 < len(error.violations) < 300


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_code_has_a_kind(code: grpc.StatusCode) -> None:
    error = errors.from_status(code, "text", (("other", "x"), (DETAILS_KEY, b"\xff\xff")))
    assert type(error) is not errors.TwinplaneError
    assert error.code == code.name
    assert str(error) == f"{code.name}: text"
    assert error.violations == ()


def test_public_names_are_sorted_and_there() -> None:
    assert sorted(twinplane_client.__all__) == twinplane_client.__all__
    assert all(hasattr(twinplane_client, name) for name in twinplane_client.__all__)
    kinds = {kind.__name__ for kind in errors.TwinplaneError.__subclasses__()}
    assert kinds < set(twinplane_client.__all__)
