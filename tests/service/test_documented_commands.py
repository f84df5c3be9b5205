"""The examples of the documents work word for word."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as File

import pytest

from conformance.target import Target as Served
from service.commanding import PATHS, REPOSITORY
from service.configuring import served

BLOCK = re.compile(r"^```(sh|python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A command of a transcript, and what it writes.
WRITTEN = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
# In front of the examples: what a checkout's shell has.
PREPARED = "set -eu\n"


@pytest.fixture
def box() -> Iterator[Served]:
    with served() as target:
        yield target


@pytest.fixture
def environ(box: Served, tmp_path: File) -> dict[str, str]:
    """Variables as agent/packaging/client-env sets them, and a `twinplane` on the path."""
    command = tmp_path / "bin" / "twinplane"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m twinplane_cli "$@"\n')
    command.chmod(0o755)
    tls = box.folder / "tls"
    return {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": PATHS,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TWINPLANE_ADDRESS": box.addresses[2],
        "TWINPLANE_CA": str(tls / "ca.pem"),
        "TWINPLANE_CERT": str(tls / "admin.pem"),
        "TWINPLANE_KEY": str(tls / "admin.key"),
    }


def blocks(document: str, language: str) -> list[str]:
    """The examples of a document that are about the command or the client."""
    found = BLOCK.findall((REPOSITORY / document).read_text())
    about = {"sh": r"^(echo .*\| )?twinplane ", "python": "ConfigClient", "console": r"^\$ "}[language]
    return [text for kind, text in found if kind == language and re.search(about, text, re.MULTILINE)]


@pytest.mark.long
@pytest.mark.parametrize("document", ["README.md", "docs/config-service.md"])
def test_the_commands(document: str, environ: dict[str, str]) -> None:
    examples = [text.replace(". agent/packaging/client-env", ":") for text in blocks(document, "sh")]
    assert examples
    done = subprocess.run(
        ["sh", "-c", PREPARED + "\n".join(examples)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "commit " in done.stdout
    for transcript in blocks(document, "console"):
        for command, expected in WRITTEN.findall(transcript):
            both = ["sh", "-c", f"{command} 2>&1"]
            told = subprocess.run(both, env=environ, stdout=subprocess.PIPE, text=True)
            assert told.stdout == expected, command


def test_the_client_in_ten_lines(environ: dict[str, str]) -> None:
    (example,) = blocks("docs/config-service.md", "python")
    assert len(example.strip().splitlines()) <= 11
    done = subprocess.run([sys.executable, "-c", example], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "[name=lab]/config/description" in done.stdout
