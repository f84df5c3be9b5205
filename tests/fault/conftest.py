"""One namespace and one box for all tests; a box that a failed test has left is not used again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.place import Place
from fault.box import Box
from hypervisor.scenario import REPOSITORY, firewall_image


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """The box, empty or as the test before left it in good order."""
    firewall_image()  # builds it where it is not there
    with Place() as place:
        made = Box(place, REPOSITORY / "build/images")
        try:
            yield made
        finally:
            made.remove()


@pytest.fixture(autouse=True)
def said(box: Box) -> Iterator[None]:
    """What the agents of a test wrote; shown where it fails."""
    start = box.log.stat().st_size if box.log.exists() else 0
    yield
    if not box.log.exists():
        return
    with box.log.open(errors="replace") as log:
        log.seek(start)
        print(log.read())


@pytest.fixture(scope="session")
def images() -> Path:
    """The image directory."""
    return REPOSITORY / "build/images"
