"""twinplane gnmi: the four RPCs of gNMI, at any target."""

import json
from typing import Annotated

import typer
from rich.text import Text

from twinplane_cli import invocation, value
from twinplane_cli.command import command, group
from twinplane_cli.output import moment, plain, printable, table
from twinplane_client import DataType, Mode, Notification, Path, Sync, Value

Where = Annotated[list[str], typer.Argument(metavar="PATH...", show_default=False)]
Assignments = Annotated[
    list[str] | None, typer.Option(metavar="PATH=JSON|PATH=@FILE", help="Repeat it.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    gnmi = group("gNMI as it is: at once and without a candidate, at any target.")
    app.add_typer(gnmi, name="gnmi")
    _add_reading(gnmi)
    _add_set(gnmi)
    _add_subscribe(gnmi)


def _add_reading(gnmi: typer.Typer) -> None:
    @command(gnmi)
    def capabilities(ctx: typer.Context) -> None:
        """Show models, encodings and version."""
        work = invocation.of(ctx)
        with work.gnmi() as client:
            found = client.capabilities()
        models = ((one.name, one.version, one.organization) for one in found.models)
        head = f"gNMI {found.version}, {', '.join(found.encodings)}"
        work.show(found, head, "", table(("MODEL", "VERSION", "ORGANIZATION"), models))

    @command(gnmi)
    def get(
        ctx: typer.Context,
        paths: Where,
        kind: Annotated[DataType, typer.Option("--type")] = "all",
    ) -> None:
        """Show a snapshot of paths."""
        work = invocation.of(ctx)
        with work.gnmi() as client:
            found = client.get(*map(value.path, paths), kind=kind)
        work.show(found, *map(_lines, found))


def _add_set(gnmi: typer.Typer) -> None:
    @command(gnmi, "set")
    def set_(
        ctx: typer.Context,
        delete: Annotated[
            list[str] | None, typer.Option(metavar="PATH", help="Repeat it.", show_default=False)
        ] = None,
        replace: Assignments = None,
        update: Assignments = None,
    ) -> None:
        """Make one transaction: deletes, then replaces, then updates."""
        work = invocation.of(ctx)
        deletes = [value.path(one) for one in delete or ()]
        replaces: dict[str | Path, Value] = dict(map(value.assignment, replace or ()))
        updates: dict[str | Path, Value] = dict(map(value.assignment, update or ()))
        with work.gnmi() as client:
            done = client.set(delete=deletes, replace=replaces, update=updates)
        work.show(done, *(f"{name.lower()} {printable(str(path))}" for name, path in done.operations))


def _add_subscribe(gnmi: typer.Typer) -> None:
    @command(gnmi, streams=True)
    def subscribe(
        ctx: typer.Context,
        paths: Where,
        mode: Mode = "on-change",
        interval: Annotated[float, typer.Option(min=0, max=86_400, help="Seconds between samples.")] = 0.0,
        updates_only: Annotated[bool, typer.Option("--updates-only", help="No values of now.")] = False,
    ) -> None:
        """Show values as they change, until Ctrl-C."""
        work = invocation.of(ctx)
        where = [value.path(one) for one in paths]
        with work.gnmi() as client:
            for item in client.subscribe(
                *where, mode=mode, sample_interval=interval, updates_only=updates_only
            ):
                if isinstance(item, Sync):
                    work.show_line({"sync": True}, Text("-- in sync --", "dim"))
                else:
                    work.show_line(item, _lines(item))


def _lines(found: Notification) -> Text:
    text = Text()
    time = moment(found.timestamp)
    for path in found.deletes:
        text.append(f"{time}  {printable(str(path))} is gone\n")
    for one in found.updates:
        written = json.dumps(plain(one.value), ensure_ascii=False)
        text.append_text(
            Text.assemble(f"{time}  ", (printable(str(one.path)), "bold"), f" {printable(written)}\n")
        )
    text.rstrip()
    return text
