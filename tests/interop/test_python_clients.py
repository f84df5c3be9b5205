"""pygnmi and aiognmi against an agent with a running appliance, each in an environment of its own."""

import pytest

from interop.box import Credentials
from interop.conftest import steps
from interop.install import PYGNMI, aiognmi, python

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]

COMMON = ("capabilities", "path styles", "encodings", "data types", "set", "once", "poll")
STREAMS = ("on change", "sample", "target defined")


@pytest.fixture(scope="module")
def pygnmi(box: Credentials, locked: Credentials) -> dict[str, str]:
    """The outcomes of pygnmi's steps; its `path_root` is the CA that signed the server."""
    return steps(python(PYGNMI), "pygnmi_list.py", box, locked)


@pytest.fixture(scope="module")
def other(box: Credentials, locked: Credentials) -> dict[str, str]:
    """The outcomes of aiognmi's steps."""
    return steps(aiognmi(), "aiognmi_list.py", box, locked)


@pytest.mark.parametrize(
    "step", [*COMMON, *STREAMS, "arbitration", "sample suppressed", "refused interval", "tls", "password"]
)
def test_pygnmi(pygnmi: dict[str, str], step: str) -> None:
    assert pygnmi[step] == "ok", pygnmi[step]


@pytest.mark.parametrize("step", [*COMMON, *STREAMS, "commit", "origin twice", "password"])
def test_aiognmi(other: dict[str, str], step: str) -> None:
    assert other[step] == "ok", other[step]
