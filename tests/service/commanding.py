"""The command `twinplane` as an operator types it, against a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from typer.testing import CliRunner

from conformance.target import Target
from twinplane_cli.app import app

REPOSITORY = File(__file__).parents[2]
PATHS = os.pathsep.join(str(REPOSITORY / folder) for folder in ("clients/python", "proto"))


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell with the variables that the command reads, and a state directory of its own."""

    variables: Mapping[str, str]

    @classmethod
    def at(cls, target: Target, state: File, **variables: str) -> "Shell":
        """At the administrator's socket of a target."""
        return cls({"TWINPLANE_ADDRESS": target.addresses[0], "XDG_STATE_HOME": str(state), **variables})

    def having(self, **variables: str) -> "Shell":
        """The same with other variables."""
        return Shell({**self.variables, **variables})

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        """What a command writes to stdout; with another `code` than 0, what it writes to stderr."""
        done = CliRunner().invoke(app, arguments, input=stdin, env=self.variables, prog_name="twinplane")
        assert done.exit_code == code, (arguments, done.output, done.exception)
        return done.stderr if code else done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The document that a command writes to stdout."""
        done = CliRunner().invoke(app, (*arguments, "--output", "json"), env=self.variables)
        assert done.exit_code == code, (arguments, done.output, done.exception)
        return json.loads(done.stdout)

    def process(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """A command as a process of its own."""
        environ = {**os.environ, "PYTHONPATH": PATHS, **self.variables}
        # A shell has what it starts in the background ignore Ctrl-C, tests as well as what they start.
        command = ("env", "--default-signal=INT", sys.executable, "-m", "twinplane_cli", *arguments)
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(command, env=environ, text=True, **options)
