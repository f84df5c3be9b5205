"""What holds for every file: it refers to nothing outside, and what is named is there."""

import ast
import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUTINES = (ROOT / "Makefile").read_text()
FORBIDDEN = {
    *("manager", "managers", "helper", "helpers", "util", "utils", "common", "misc"),
    *("base", "handler", "handlers", "data", "core"),
}
# Put together here, so that this file holds none of them.
OUTSIDE = re.compile(
    "|".join(
        (
            r"(?<![\w.])" + "/".join(("", "work", "")),
            "/".join(("", "tmp", "venv")),
            r"\.\./" + "shared",
            "/".join(("", "root", "")),
            "/".join(("", "home", "")),
        )
    )
)


def tracked() -> Iterator[Path]:
    """The files of the repository; of a plain copy of it, all that are no product of a build."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        yield from (path for name in listed.stdout.decode().split("\0") if (path := ROOT / name).is_file())
        return
    for folder in ("agent", "clients", "proto", "tests", "yang"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    yield from (path for path in ROOT.iterdir() if path.is_file())


FILES = sorted(tracked())
PYTHON = [path for path in FILES if path.suffix == ".py" and "_pb2" not in path.name]


def words(name: str) -> set[str]:
    """The words of a name, in snake_case, kebab-case or CamelCase."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def test_nothing_refers_to_what_is_outside() -> None:
    found = []
    for path in FILES:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        lines = text.splitlines()
        found += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()}"
            for n, line in enumerate(lines, 1)
            if OUTSIDE.search(line)
        ]
    assert not found, "\n".join(found)


def test_the_pattern_finds_what_it_is_for() -> None:
    for text in ("/".join(("cd ", "work", "main")), "'" + "/".join(("..", "shared", "design.md"))):
        assert OUTSIDE.search(text)
    assert not OUTSIDE.search("teamwork/main, a.pem")


def test_names_say_what_is_inside() -> None:
    bad = [str(path.relative_to(ROOT)) for path in FILES if words(path.stem) & FORBIDDEN]
    for path in PYTHON:
        tree = ast.parse(path.read_text())
        bad += [
            f"{path.relative_to(ROOT)}: class {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and words(node.name) & FORBIDDEN
        ]
    assert not bad, f"name it by what is inside: {bad}"
    assert words("HTTPDataHandler") & FORBIDDEN == {"data", "handler"}
    assert not words("Datastore") & FORBIDDEN


def test_no_imports_but_absolute_ones_and_none_from_tests() -> None:
    for path in PYTHON:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
                if path.is_relative_to(ROOT / "agent"):
                    assert not (node.module or "").startswith(("tests", "unit", "clients")), path


@pytest.mark.parametrize("room", sorted(path for path in FILES if path.name == "__init__.py"), ids=str)
def test_a_room_says_what_it_is(room: Path) -> None:
    if room.stat().st_size:
        assert ast.get_docstring(ast.parse(room.read_text())), room


@pytest.mark.parametrize("name", ["twinplane_client", "twinplane_client.config"])
def test_public_names_are_listed_in_order_and_there(name: str) -> None:
    module = importlib.import_module(name)
    listed = module.__all__
    assert listed == sorted(listed)
    assert len(listed) == len(set(listed))
    public = {
        found
        for found in vars(module)
        if not found.startswith("_") and not hasattr(vars(module)[found], "__path__")
    }
    assert set(listed) <= public
    assert public - set(listed) <= {"errors"}, "a public name that is not listed"


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", ROUTINES, re.MULTILINE))


def test_every_target_is_phony_and_explained() -> None:
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", ROUTINES, re.MULTILINE)
    assert set(phony.replace("\\\n", " ").split()) == targets()
    for target in targets():
        assert re.search(rf"^{target}:.*## \S", ROUTINES, re.MULTILINE), target


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", ".ci/run"])
def test_targets_that_are_named_are_there(document: str) -> None:
    text = "\n".join(line for line in (ROOT / document).read_text().splitlines() if not line.startswith("# "))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", text))
    verbs = {"it", "sure", "them", "a", "the", "an", "one", "again"}
    assert named - verbs <= targets()


def test_files_that_the_readme_names_are_there() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"\b(?:agent|clients|tests|yang|proto)/[\w./-]+\w", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / target).exists() or f"writes {target}" in ROUTINES, target


def section(heading: str) -> str:
    """The part of the README under a heading."""
    text = (ROOT / "README.md").read_text()
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found
    return rest.partition("\n## ")[0]


def offered(help_text: str, names: set[str]) -> bool:
    """Whether a help text lists all these commands."""
    return all(re.search(rf"^ +{name}\b", help_text, re.MULTILINE) for name in names)


def test_commands_that_the_readme_names_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    from twinplane.cli import main

    named = set(re.findall(r"^\| `(\w+)[^|]*\|", section("The command `twinplane-agent`"), re.MULTILINE))
    named |= set(re.findall(r"twinplane-agent ([a-z]+)\b", (ROOT / "README.md").read_text()))
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert {"run", "check", "plan", "schema"} <= named
    assert offered(capsys.readouterr().out, named)


def test_the_readme_names_every_command_of_operators() -> None:
    from typer.testing import CliRunner

    from twinplane_cli.app import app

    rows = re.findall(r"^\| (`[^|]*) \|", section("The command `twinplane`"), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    listed = CliRunner().invoke(app, ["--help"]).stdout.partition("Commands:")[2]
    assert offered(listed, named)
    assert set(re.findall(r"^  (\w+)", listed, re.MULTILINE)) == named
