"""twinplane candidate, diff, validate: what has been edited and is not real yet."""

from typing import Annotated

import typer
from rich.text import Text

from twinplane_cli import invocation, option, value
from twinplane_cli.command import command, group
from twinplane_cli.commands.read import show_texts
from twinplane_cli.difference import difference
from twinplane_cli.errors import REFUSED, list_faults
from twinplane_cli.invocation import Use
from twinplane_cli.option import Defaults, Depth, Encoding, Paths, Shared
from twinplane_client import ConfigClient
from twinplane_client.config import Change


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    candidate = group("The configuration under edit: one's own, or the one that all share.")
    app.add_typer(candidate, name="candidate")
    _add_show(candidate)
    _add_copies(candidate)
    _add_ends(candidate)
    _add_judgements(app)


def _use(shared: bool) -> Use:
    return Use.KEPT if shared else Use.OPEN


def _add_show(candidate: typer.Typer) -> None:
    @command(candidate)
    def show(
        ctx: typer.Context,
        paths: Paths = None,
        shared: Shared = False,
        depth: Depth = 0,
        with_defaults: Defaults = None,
        encoding: Encoding = "json",
    ) -> None:
        """Show a candidate as it would be committed."""
        work = invocation.of(ctx)
        where = [value.path(one) for one in paths or ()]
        with work.config(_use(shared)) as client:
            found = client.get_config(
                *where,
                source=option.candidate(shared),
                depth=depth,
                with_defaults=with_defaults,
                encoding=encoding,
            )
        show_texts(work, found)


def _add_copies(candidate: typer.Typer) -> None:
    @command(candidate)
    def load(
        ctx: typer.Context,
        file: Annotated[str, typer.Argument(metavar="@FILE|-", show_default=False)],
        encoding: Encoding = "json",
        shared: Shared = False,
    ) -> None:
        """Make a candidate a whole configuration from a file, as 'twinplane get --config' writes it."""
        work, text = invocation.of(ctx), value.document(file, encoding)
        with work.config(_use(shared)) as client:
            base = client.copy_config(text=text, target=option.candidate(shared), encoding=encoding)
        work.show({"base_revision": base}, "loaded")

    @command(candidate)
    def copy(
        ctx: typer.Context,
        number: Annotated[
            int, typer.Argument(min=1, max=option.LARGEST, metavar="COMMIT", show_default=False)
        ],
        shared: Shared = False,
    ) -> None:
        """Make a candidate what running was after a commit, to be looked at and changed before it is real."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            base = client.copy_config(commit=number, target=option.candidate(shared))
        work.show({"base_revision": base}, f"the candidate is what running was after commit {number}")


def _add_ends(candidate: typer.Typer) -> None:
    @command(candidate)
    def discard(ctx: typer.Context, shared: Shared = False) -> None:
        """Forget all edits."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            client.discard(option.candidate(shared))
        work.show({"discarded": option.candidate(shared)}, "discarded")

    @command(candidate)
    def rebase(ctx: typer.Context, shared: Shared = False) -> None:
        """Carry a candidate over to the newest commit; what changed on both sides is a conflict."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            rebased = client.rebase(option.candidate(shared))
        lines = [f"changed on both sides: {path}" for path in rebased.conflicts]
        done = "the candidate is as it was" if lines else f"on top of commit {rebased.base_revision}"
        work.show(rebased, *lines, done)
        if rebased.conflicts:
            raise typer.Exit(REFUSED)


def _add_judgements(app: typer.Typer) -> None:
    @command(app)
    def diff(
        ctx: typer.Context,
        number: Annotated[
            int | None,
            typer.Argument(min=1, max=option.LARGEST, metavar="COMMIT", help="None: what it began with."),
        ] = None,
        shared: Shared = False,
    ) -> None:
        """Show what a candidate changes, or how it differs from what running was after a commit."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            if number is None:
                changes = _edited(client, shared)
            else:
                changes = client.compare(number, candidate=option.candidate(shared))
        work.show({"changes": changes}, difference(changes) if changes else Text("no changes"))

    @command(app)
    def validate(ctx: typer.Context, shared: Shared = False) -> None:
        """Say everything that is wrong with a candidate."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            faults = client.validate(option.candidate(shared))
        work.show({"valid": not faults, "errors": faults}, list_faults(faults) if faults else Text("valid"))
        if faults:
            raise typer.Exit(REFUSED)


def _edited(client: ConfigClient, shared: bool) -> tuple[Change, ...]:
    """What the edits changed. A private candidate is compared with the commit it began with: what others
    committed since is none of its doing."""
    base = 0
    if not shared:
        base = next(one.base_revision for one in client.list_sessions() if one.number == client.session)
    return client.compare(base, candidate=option.candidate(shared))
