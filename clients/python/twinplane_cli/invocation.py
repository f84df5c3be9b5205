"""One run of the command: which box, as whom, in which session, and for whom it writes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

import typer
from rich.console import RenderableType

from twinplane_cli import output as writing
from twinplane_cli.errors import NO_SESSION, CommandError
from twinplane_cli.output import Output
from twinplane_cli.session_file import KeptSession, SessionFile
from twinplane_client import (
    Client,
    ConfigClient,
    NotFoundError,
    PermissionDeniedError,
    RefusedError,
    Target,
)

RESUME_SECONDS = 5.0  # how long the end of the last command's stream may be on its way to the box
RESUME_PAUSE = 0.05

GONE = "its private candidate and its locks went with it; the next command begins a new one: edit again"


class Use(Enum):
    """Which session a command works in."""

    NONE = auto()
    KEPT = auto()  # that of earlier commands, if there is one
    ALIVE = auto()  # the same, and none if it is gone
    OPEN = auto()  # that of earlier commands, else a new one
    REQUIRED = auto()  # that of earlier commands


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the options in front of the command say; `address` is empty where none was given."""

    target: Target
    output: Output
    linger: float

    def show(self, result: object, *human: RenderableType) -> None:
        """Write the result of the command."""
        writing.show(self.output, result, *human)

    def show_line(self, result: object, human: RenderableType) -> None:
        """Write one item of a stream."""
        writing.show_line(self.output, result, human)

    def remark(self, text: str) -> None:
        """Tell people something beside the result."""
        writing.remark(self.output, text)

    @property
    def kept(self) -> KeptSession | None:
        """The session of earlier commands."""
        return SessionFile.of(self.target, os.environ).read()

    def gnmi(self) -> Client:
        """A client of gNMI. Raises CommandError where no address was given."""
        return Client(self._addressed())

    @contextmanager
    def config(self, use: Use = Use.NONE) -> Iterator[ConfigClient]:
        """A client of the configuration service, in the session that is asked for.

        Raises:
            CommandError: no address was given; the session is gone, or there is none.
        """
        target = self._addressed()
        with ConfigClient(target) as client:
            if use is Use.NONE:
                yield client
                return
            file = SessionFile.of(target, os.environ)
            with file.alone():
                self._enter(client, file, use)
                yield client

    def end_session(self) -> int:
        """End the session of earlier commands; its number."""
        with self.config(Use.REQUIRED) as client:
            file = SessionFile.of(self.target, os.environ)
            kept = file.read()
            client.close_session()
            file.remove()
        return kept.number if kept is not None else 0

    def _addressed(self) -> Target:
        if not self.target.address:
            raise CommandError("no address", "give --address or set TWINPLANE_ADDRESS")
        return self.target

    def _enter(self, client: ConfigClient, file: SessionFile, use: Use) -> None:
        kept = file.read()
        if kept is not None:
            try:
                _resume(client, kept)
            except (NotFoundError, PermissionDeniedError) as error:
                # Numbers begin anew with the agent: then it is the secret that does not fit.
                file.remove()
                reason = error.errors[0].message if error.errors else error.message
                gone = CommandError(f"session {kept.number} is gone: {reason}", GONE, NO_SESSION)
                if use is not Use.ALIVE:
                    raise gone from None
                self.remark(f"note: {gone.message}")
        elif use is Use.OPEN:
            opened = client.open_session(self.linger)
            file.write(KeptSession(opened.number, opened.secret))
        elif use is Use.REQUIRED:
            remedy = "'twinplane edit' or 'twinplane lock' begins one"
            raise CommandError(f"no session of earlier commands at {self.target.address}", remedy, NO_SESSION)


def _resume(client: ConfigClient, kept: KeptSession) -> None:
    deadline = time.monotonic() + RESUME_SECONDS
    while True:
        try:
            client.resume_session(kept.number, kept.secret)
        except RefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(RESUME_PAUSE)
        else:
            return


def of(ctx: typer.Context) -> Invocation:
    """The run that a command is part of."""
    found = ctx.find_object(Invocation)
    assert found is not None
    return found
