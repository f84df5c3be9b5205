"""A target in this process and a loop to talk to it from a test that is no coroutine."""

import asyncio
from collections.abc import Coroutine, Iterator
from pathlib import Path as File
from typing import Any, TypeVar

import pytest

from conformance.conftest import credentials, folder  # noqa: F401  (fixtures)
from conformance.target import Target
from fuzz.attack import Attack
from twinplane.services.rpc import Limits

T = TypeVar("T")

LIMITS = Limits(write_bytes=1 << 20, write_seconds=5.0)


@pytest.fixture
def attack(folder: File) -> Iterator[Attack]:  # noqa: F811
    """A serving target with something configured in it."""
    with asyncio.Runner() as runner:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return runner.run(work)

        target = Target(folder, limits=LIMITS)
        run(target.__aenter__())
        try:
            attack = Attack(target, run)
            run(attack.furnish())
            yield attack
            run(attack.nothing_is_left())
        finally:
            run(target.__aexit__(None, None, None))
