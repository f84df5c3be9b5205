"""twinplane events: what happens, and what happened."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from twinplane_cli import invocation, value
from twinplane_cli.command import command, group
from twinplane_cli.errors import CommandError
from twinplane_cli.option import LARGEST
from twinplane_cli.output import moment, printable
from twinplane_client.config import Event, EventItem, Gap

Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="Only of this kind (repeat it).", show_default=False)
]
Below = Annotated[
    list[str] | None,
    typer.Option("--below", metavar="PATH", help="Only about objects there (repeat it).", show_default=False),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    events = group("Commits, appliances that start or fail, drift, violated shares.")
    app.add_typer(events, name="events")

    @command(events, streams=True)
    def watch(ctx: typer.Context, kind: Kinds = None, below: Below = None) -> None:
        """Show events as they come, until Ctrl-C."""
        work = invocation.of(ctx)
        with work.config() as client:
            paths = [value.path(one) for one in below or ()]
            _follow(work, client.notifications(kinds=kind or (), below=paths))

    @command(events, streams=True)
    def replay(
        ctx: typer.Context,
        after: Annotated[
            int | None,
            typer.Option(min=0, max=LARGEST, metavar="NUMBER", help="Behind this event.", show_default=False),
        ] = None,
        since: Annotated[
            str, typer.Option(metavar="TIME", help="10m, 2h, 1d, or a date and time.", show_default=False)
        ] = "",
        follow: Annotated[bool, typer.Option("--follow", "-f", help="Then go on with what comes.")] = False,
        kind: Kinds = None,
        below: Below = None,
    ) -> None:
        """Show the events that are kept: all, or those after a number or since a time."""
        work = invocation.of(ctx)
        start = value.since(since) if since else None
        if start is not None and after is not None:
            raise CommandError("a replay has one start", "give one of --after, --since")
        with work.config() as client:
            items = client.notifications(
                kinds=kind or (),
                below=[value.path(one) for one in below or ()],
                after_sequence=(after or 0) if start is None else None,
                since=start,
                stop_at_now=not follow,
            )
            _follow(work, items)


def _follow(work: invocation.Invocation, items: Iterator[EventItem]) -> None:
    for item in items:
        match item:
            case Event():
                work.show_line(item, _line(item))
            case Gap(first, last):
                work.show_line({"gap": item}, Text(f"events {first} to {last} are gone", "yellow"))


def _line(event: Event) -> Text:
    (body,) = event.body.values()
    return Text.assemble(
        f"{event.sequence}  {moment(event.time)}  ",
        (event.kind, "bold"),
        f"  {printable(str(event.path))}  ",
        (printable(json.dumps(body, ensure_ascii=False)), "dim"),
    )
