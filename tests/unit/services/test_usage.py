"""What a user takes: requests by the second, streams at a time, each user for himself."""

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.services.usage import Usage


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def made(usage: Usage, user: str, most: int = 1000) -> int:
    """How many requests are served one after the other."""
    for count in range(most):
        try:
            usage.request(user)
        except RequestError as error:
            assert [one.fault for one in error.violations] == [Fault.TOO_LARGE]
            assert user in str(error)
            return count
    return most


def test_as_many_as_a_second_has_and_then_at_its_pace() -> None:
    clock = Clock()
    usage = Usage(1, 8, clock)
    assert made(usage, "ann") == 8
    assert made(usage, "bob") == 8, "everybody has his own"
    assert made(usage, "ann") == 0
    clock.now += 0.125
    assert made(usage, "ann") == 1
    clock.now += 0.25
    assert made(usage, "ann") == 2
    clock.now += 3600
    assert made(usage, "ann") == 8, "no more is saved up"


def test_streams_are_counted_while_they_are_open() -> None:
    usage = Usage(2, 10)
    with usage.stream("ann"):
        with usage.stream("ann"), usage.stream("bob"):
            refused = pytest.raises(RequestError, match="ann has 2 streams open")
            with refused, usage.stream("ann"):
                raise AssertionError("let in")
        with usage.stream("ann"):
            pass
    with pytest.raises(KeyError), usage.stream("ann"):
        raise KeyError
    with usage.stream("ann"), usage.stream("ann"):
        pass
