"""twinplane lock, unlock: datastores for oneself."""

from typing import Annotated

import typer

from twinplane_cli import invocation
from twinplane_cli.command import command
from twinplane_cli.invocation import Use
from twinplane_cli.option import LONGEST, Lockable, Reason

Datastore = Annotated[Lockable, typer.Argument()]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""

    @command(app)
    def lock(
        ctx: typer.Context,
        datastore: Datastore = "running",
        reason: Reason = "",
        expires: Annotated[
            float | None,
            typer.Option(
                min=1, max=LONGEST, metavar="SECONDS", help="Not longer than this.", show_default=False
            ),
        ] = None,
        break_held: Annotated[
            bool, typer.Option("--break", help="End another's lock first (administrators).")
        ] = False,
    ) -> None:
        """Keep others from changing a datastore, until unlock or the end of the session."""
        work = invocation.of(ctx)
        with work.config(Use.OPEN) as client:
            held = client.lock(datastore, reason, expires_after=expires, break_held=break_held)
        work.show(held, f"{held.datastore} is locked by {held.user}, session {held.session}")

    @command(app)
    def unlock(ctx: typer.Context, datastore: Datastore = "running") -> None:
        """Give a lock up; with one on the candidate go the changes in it."""
        work = invocation.of(ctx)
        with work.config(Use.REQUIRED) as client:
            client.unlock(datastore)
        work.show({"unlocked": datastore}, f"{datastore} is unlocked")
