"""The commands that need no running agent, through the command line."""

import functools
import json
import re
from pathlib import Path

import pytest

from twinplane import offline
from twinplane.app import schema
from twinplane.cli import main
from twinplane.schema.compile import Schemas
from twinplane.settings import Settings

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases/plan"
INSTANCE = "3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10"
# What a port had before it was taken is known to the box alone; offline it is let go without that.
TAKEN = {
    "appliance-delete-everything": ("change port demo-c", "delete port demo-c"),
    "port-let-go": ("change link eth7", "delete link eth7"),
}

SWITCHES = """\
rw virtual-switches
  rw virtual-switch* [name]
    rw name  leafref
    rw config
      rw name?  string
      rw description?  string
      rw mtu?  uint16 = 1500  (bytes)
    ro state
      ro name?  string
      ro mtu?  uint16  (bytes)
      ro oper-status?  enumeration
      ro interface?  string
    rw ports
      rw port* [interface]
        rw interface  leafref
        rw config
          rw interface?  union
        ro state
          ro interface?  union
          ro oper-status?  enumeration
          ro oper-reason?  string
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of a box that has its instance."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state/instance-id").write_text(f"{INSTANCE}\n")
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\nstate_dir = "state"\n[hypervisor]\naccelerator = "TCG"\n')
    return file


@pytest.fixture(autouse=True)
def compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling the modules takes a second, and they are the same for all."""
    monkeypatch.setattr(offline, "schema", lambda settings, cache: models())


@functools.cache
def models() -> Schemas:
    """Our modules."""
    return schema(Settings(), None)


def run(*arguments: str) -> int:
    """Run a command; its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def comparable(text: str) -> list[str]:
    """The lines without digests of definitions, which differ with the state directory, and without what a
    taken value was."""
    lines = [line for line in text.splitlines() if not re.match(r" +(digest|address_generation|mtu) ", line)]
    return [re.sub(r"^ *\d+ ", "", line) for line in lines]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_plan_prints_the_golden_plans(case: Path, settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--config", str(settings), str(case / "running.json"), str(case / "candidate.json"))
    assert run("plan", *arguments) == 0
    golden = (case / "plan.txt").read_text()
    if case.name in TAKEN:
        before, final = golden.split("-- commit --")
        golden = f"{before}-- commit --{final.replace(*TAKEN[case.name])}"
    shown = capsys.readouterr()
    assert comparable(shown.out) == comparable(golden)
    assert shown.err == ""


def test_plan_has_names_without_a_box_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\nstate_dir = "nowhere"\n')
    case = CASES / "image-create"
    assert run("plan", "--config", str(file), str(case / "running.json"), str(case / "candidate.json")) == 0
    assert "create image-file images/" in capsys.readouterr().out
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "/: "),
        ('"x"', "/: the top level must be an object, not 'x'"),
        ('{"nonsense": {}}', "/nonsense: there is no 'nonsense'"),
        (
            {"virtual-switches": {"virtual-switch": [{"name": "lan", "config": {"name": "lan", "mtu": 1}}]}},
            "/virtual-switches/virtual-switch[name=lan]/config/mtu: between 1280",
        ),
        (
            {"appliances": {"appliance": [{"name": "a", "config": {"name": "a"}}]}},
            "/appliances/appliance[name=a]/config/image: ",
        ),
    ],
    ids=["no JSON", "text", "no YANG", "range", "mandatory"],
)
def test_plan_refuses_what_the_box_would_refuse(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object, words: str
) -> None:
    file = tmp_path / "candidate.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    running = str(CASES / "image-create/running.json")
    for documents in ((running, str(file)), (str(file), running)):
        assert run("plan", "--config", str(settings), *documents) == 1
        shown = capsys.readouterr()
        assert shown.out == ""
        told = f"twinplane-agent: {file}: {words}"
        assert any(line.startswith(told) for line in shown.err.splitlines()), shown.err


def test_plan_says_which_file_it_cannot_read(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--config", str(settings), "/nowhere/a.json", "/nowhere/b.json") == 2
    assert capsys.readouterr().err == (
        "twinplane-agent: cannot read /nowhere/a.json: No such file or directory\n"
    )


def test_schema_prints_the_tree(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "--config", str(settings), "/virtual-switches") == 0
    assert capsys.readouterr().out == SWITCHES
    assert run("schema", "--config", str(settings)) == 0
    whole = capsys.readouterr().out
    assert SWITCHES in whole
    tops = {line.partition(" ")[2] for line in whole.splitlines() if not line.startswith(" ")}
    assert tops == {"appliances", "components", "images", "interfaces", "system", "virtual-switches"}


@pytest.mark.parametrize(
    ("path", "code", "line"),
    [
        ("/nonsense", 1, "/nonsense: there is no 'nonsense' below the top level"),
        ("x[", 2, "expected [key=value] at position 2 of 'x['"),
    ],
)
def test_schema_says_what_is_wrong_with_a_path(
    settings: Path, capsys: pytest.CaptureFixture[str], path: str, code: int, line: str
) -> None:
    assert run("schema", "--config", str(settings), path) == code
    assert capsys.readouterr().err == f"twinplane-agent: {line}\n"
