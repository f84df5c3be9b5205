"""What the wheel is made of and what it needs, against what is in the repository."""

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
GENERATED = sorted((ROOT / "proto").rglob("*_pb2.py"))


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def test_the_wheel_holds_every_package_and_the_modules() -> None:
    packages = {ROOT / package for package in WHEEL["packages"]}
    found = {
        path.parent
        for folder in ("agent", "clients/python", "proto")
        for path in (ROOT / folder).glob("*/__init__.py")
    }
    assert packages == found
    assert WHEEL["force-include"] == {"yang": "twinplane/_yang"}
    assert list((ROOT / "yang").glob("*.yang"))


@pytest.mark.parametrize("module", GENERATED, ids=lambda path: path.stem)
def test_the_runtime_is_as_new_as_what_generated_the_wire(module: Path) -> None:
    """protobuf's guarantee across versions: a runtime older than the compiler refuses the module."""
    wanted = re.search(r"^# Protobuf Python Version: ([\d.]+)$", module.read_text(), re.MULTILINE)
    assert wanted is not None
    (floor,) = (
        need.removeprefix("protobuf>=").partition(",")[0]
        for need in PROJECT["project"]["dependencies"]
        if need.startswith("protobuf")
    )
    assert version(wanted[1]) <= version(floor), "generate with `make proto`, which has an old compiler"


def test_every_message_file_is_generated() -> None:
    expected = [path.with_name(f"{path.stem}_pb2.py") for path in (ROOT / "proto").rglob("*.proto")]
    assert sorted(expected) == GENERATED != []


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_clients_environment_is_that_of_this_checkout_in_every_shell(shell: str) -> None:
    assert sourced(shell) == ["localhost:9339", f"{place()}/tls/ca.pem", str(ROOT / ".venv/bin")]


def test_the_clients_environment_follows_what_make_run_was_told() -> None:
    told = {"TWINPLANE_LISTEN_ADDRESSES": "box:1,[::1]:2", "TWINPLANE_AGENT_STATE_DIR": "/srv/tp"}
    assert sourced("bash", **told) == ["box:1", "/srv/tp/tls/ca.pem", str(ROOT / ".venv/bin")]


def sourced(shell: str, **environ: str) -> list[str]:
    """What the file sets: address, CA and the first folder of PATH."""
    script = '. agent/packaging/client-env; printf "%s\\n" "$TWINPLANE_ADDRESS" "$TWINPLANE_CA" "${PATH%%:*}"'
    done = subprocess.run(
        [shell, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def place() -> str:
    """Where `make run` keeps its state: not in a checkout whose path is too long for sockets."""
    state = f"{ROOT}/.state"
    if len(state) <= 45:
        return state
    return f"/var/tmp/twinplane-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"


def locked(name: str) -> dict[str, str]:
    """Package → version of one lock file, each with at least one digest."""
    entries = re.split(r"\n(?=\S)", (ROOT / "agent/packaging" / name).read_text().strip())
    assert all("--hash=sha256:" in entry for entry in entries), name
    pins = (re.match(r"([\w.-]+)==([^\s;]+)", entry) for entry in entries)
    return {pin[1]: pin[2] for pin in pins if pin is not None}


def test_every_dependency_is_locked_in_its_range() -> None:
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["agent"], *extras["cli"], *PROJECT["dependency-groups"]["dev"]]
    pins = locked("requirements.lock")
    for text in asked:
        need = Requirement(text)
        assert need.specifier.contains(pins[need.name]), f"{text}: run make lock"
    tools = locked("build.lock")
    assert {"pip", "hatchling"} <= tools.keys()


def test_setup_installs_nothing_that_is_not_locked() -> None:
    lines = (ROOT / "agent/packaging/setup").read_text().replace("\\\n", " ").splitlines()
    installs = [
        line for line in lines if "$install" in line or ("pip install" in line and "apt-get" not in line)
    ]
    for line in installs:
        command = line.strip()
        if command.startswith(("case", "install=")):
            continue
        assert "--require-hashes" in command or "--no-deps" in command, line
