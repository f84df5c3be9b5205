"""twinplane reconcile: the host brought to what is configured."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from twinplane_cli import invocation
from twinplane_cli.command import command
from twinplane_cli.errors import REFUSED, list_faults
from twinplane_cli.invocation import Use
from twinplane_cli.option import Paths
from twinplane_cli.output import table
from twinplane_client.config import Effect, Repaired

Most = Annotated[
    Effect | None,
    typer.Option("--max-disruption", help="For running guests; live unless given.", show_default=False),
]
Dry = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @command(app)
    def reconcile(
        ctx: typer.Context, paths: Paths = None, dry_run: Dry = False, max_disruption: Most = None
    ) -> None:
        """Bring the host to what is configured: objects below paths, or everything."""
        work = invocation.of(ctx)
        with work.config(Use.KEPT) as client:
            done = client.reconcile(*(paths or ()), dry_run=dry_run, max_disruption=max_disruption)
        work.show(done, *_told(done, dry_run))
        if done.failed:
            raise typer.Exit(REFUSED)


def _told(done: Repaired, dry_run: bool) -> Iterator[RenderableType]:
    if done.steps:
        steps = ((number, one.owner, one.effect, one.text) for number, one in enumerate(done.steps, 1))
        yield table(("WOULD DO" if dry_run else "DONE", "OBJECT", "EFFECT", "WHAT"), steps)
    elif not done.failed and not done.waiting:
        yield "the host is as configured"
    if done.failed:
        yield Text("\nnot to be done:" if dry_run else "\nfailed:", "bold red")
        yield list_faults(done.failed)
    if done.waiting:
        yield Text("\nleft as it is:", "bold")
        yield list_faults(done.waiting)
