"""Each noun of a plan has one driver, and the drivers are what the transaction asks of them."""

import inspect
from typing import Any

from twinplane.back_end import BackEnd
from twinplane.plan.resource import Noun
from twinplane.transaction.driver import Driver


class Unopened:
    """Stands for a connection: drivers are made here and never used."""

    def __getattr__(self, name: str) -> Any:
        return self


def drivers() -> list[Driver]:
    nothing: Any = Unopened()
    parts = dict.fromkeys(inspect.signature(BackEnd).parameters, nothing)
    return list(BackEnd(**parts).drivers())


def test_every_noun_has_exactly_one_driver() -> None:
    served = [noun for driver in drivers() for noun in driver.nouns]
    assert sorted(served, key=str) == sorted(Noun, key=str)


def test_drivers_take_what_the_transaction_gives() -> None:
    for driver in drivers():
        for name in ("ensure", "find", "survey"):
            wanted = list(inspect.signature(getattr(Driver, name)).parameters)[1:]
            method = getattr(driver, name)
            assert inspect.iscoroutinefunction(method), f"{type(driver).__name__}.{name}"
            assert list(inspect.signature(method).parameters) == wanted, f"{type(driver).__name__}.{name}"
