"""twinplane history: who changed what, when, and from where."""

from typing import Annotated

import typer
from rich.text import Text

from twinplane_cli import invocation
from twinplane_cli.command import command, group
from twinplane_cli.difference import difference
from twinplane_cli.option import LARGEST
from twinplane_cli.output import caller, moment, table
from twinplane_client.config import CommitRecord

COLUMNS = ("COMMIT", "TIME", "AUTHOR", "SOURCE", "FROM", "CONFIRMATION", "COMMENT")
Number = Annotated[int, typer.Argument(min=1, max=LARGEST, metavar="COMMIT", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    history = group("The numbered commits.")
    app.add_typer(history, name="history")

    @command(history, "list")
    def list_(
        ctx: typer.Context,
        limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 20,
        before: Annotated[
            int, typer.Option(min=0, max=LARGEST, help="Only older ones.", show_default=False)
        ] = 0,
    ) -> None:
        """List commits, newest first."""
        work = invocation.of(ctx)
        with work.config() as client:
            found = client.list_commits(before=before, limit=limit)
        work.show(found, table(COLUMNS, map(_row, found.records)))
        if found.waiting:
            work.remark(f"a commit waits for its confirmation: {found.waiting}")

    @command(history)
    def show(ctx: typer.Context, number: Number) -> None:
        """Show a commit and what it changed."""
        work = invocation.of(ctx)
        with work.config() as client:
            record, changes = client.get_commit(number)
        result = {"commit": record, "changes": changes}
        work.show(result, table(COLUMNS, [_row(record)]), "", difference(changes))

    @command(history)
    def compare(
        ctx: typer.Context,
        before: Number,
        after: Annotated[int, typer.Argument(min=0, max=LARGEST, help="0: running.", show_default=False)] = 0,
    ) -> None:
        """Show what leads from one commit to another, or to running."""
        work = invocation.of(ctx)
        with work.config() as client:
            changes = client.compare(before, after)
        work.show({"changes": changes}, difference(changes) if changes else Text("no changes"))


def _row(record: CommitRecord) -> tuple[object, ...]:
    confirmation = "" if record.confirmation == "not-asked" else record.confirmation
    return (
        record.number,
        moment(record.time),
        record.author,
        record.source,
        caller(record.peer),
        confirmation,
        record.comment,
    )
