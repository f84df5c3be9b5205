"""One namespace for all, one agent without guests for those tests that leave it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.agent import REPOSITORY, Agent
from e2e.place import Place


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """A namespace with a cable to it."""
    with Place() as place:
        yield place


@pytest.fixture(scope="session")
def images() -> Path:
    """The image directory, with the firewall in it."""
    folder = (REPOSITORY / "build/images").resolve()
    assert (folder / "firewall/image.json").exists(), "make images builds it"
    return folder


@pytest.fixture(scope="module")
def agent(place: Place, images: Path) -> Iterator[Agent]:
    """An agent that serves, for all tests of a module."""
    with Agent(place, images) as agent:
        agent.start()
        yield agent
