"""Two agents for all clients: one with a running appliance and certificates, one with a password."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from e2e.agent import REPOSITORY, Agent
from e2e.place import Place
from interop.box import SECRET, USER, Credentials, credentials, output, with_appliance, with_password


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


@pytest.fixture(scope="session")
def agent(place: Place, images: Path) -> Iterator[Agent]:
    """An agent with an appliance that runs."""
    with with_appliance(place, images) as agent:
        yield agent


@pytest.fixture(scope="session")
def box(agent: Agent) -> Credentials:
    """How to reach it with the administrator's certificate."""
    return credentials(agent)


@pytest.fixture(scope="session")
def locked(place: Place, images: Path) -> Iterator[Credentials]:
    """How to reach another agent, with a password."""
    with with_password(place, images) as agent:
        yield credentials(agent, 9341, USER, SECRET)


def steps(python: Path, script: str, *boxes: Credentials) -> dict[str, str]:
    """Run a script of `clients/` with an interpreter of its own: what became of each of its steps."""
    folder = Path(__file__).parent / "clients"
    told = [json.dumps({name: str(value) for name, value in asdict(box).items()}) for box in boxes]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    lines = output("env", "-i", *(f"{k}={v}" for k, v in environ.items()), python, folder / script, *told)
    results: dict[str, str] = json.loads(lines.splitlines()[-1])
    return results
