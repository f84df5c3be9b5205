"""twinplane session: who works with the box."""

from typing import Annotated

import typer

from twinplane_cli import invocation
from twinplane_cli.command import command, group
from twinplane_cli.option import LARGEST
from twinplane_cli.output import caller, moment, table
from twinplane_client.config import SessionInfo

COLUMNS = ("", "SESSION", "USER", "FROM", "SINCE", "LIVES UNTIL", "CANDIDATE", "LOCKS")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    session = group("Sessions: what holds private candidates and locks between commands.")
    app.add_typer(session, name="session")

    @command(session, "list")
    def list_(ctx: typer.Context) -> None:
        """List all sessions; * is that of these commands."""
        work = invocation.of(ctx)
        kept = work.kept
        with work.config() as client:
            found = client.list_sessions()
        own = kept.number if kept is not None else 0
        work.show({"sessions": found, "own": own}, table(COLUMNS, (_row(one, own) for one in found)))

    @command(session)
    def kill(
        ctx: typer.Context,
        number: Annotated[int, typer.Argument(min=1, max=LARGEST, metavar="SESSION", show_default=False)],
    ) -> None:
        """End a session with all it holds: one's own, or (administrators) anybody's."""
        work = invocation.of(ctx)
        with work.config() as client:
            client.kill_session(number)
        work.show({"killed": number}, f"session {number} is over")

    @command(session)
    def close(ctx: typer.Context) -> None:
        """End the session of these commands with all it holds."""
        work = invocation.of(ctx)
        number = work.end_session()
        work.show({"closed": number}, f"session {number} is over")


def _row(one: SessionInfo, own: int) -> tuple[object, ...]:
    return (
        "*" if one.number == own else "",
        one.number,
        one.user,
        caller(one.peer),
        moment(one.since),
        "connected" if one.connected else moment(one.expires),
        f"on commit {one.base_revision}" if one.private_candidate else "",
        ", ".join(
            f"{lock.datastore} ({lock.reason})" if lock.reason else lock.datastore for lock in one.locks
        ),
    )
