"""twinplane plan, commit, confirm, cancel, rollback: candidates made real."""

import shlex
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from twinplane_cli import invocation, option
from twinplane_cli.command import command
from twinplane_cli.difference import difference
from twinplane_cli.errors import REFUSED, CommandError, list_faults
from twinplane_cli.invocation import Invocation, Use
from twinplane_cli.option import (
    LARGEST,
    Comment,
    ConfirmedIn,
    ExpectedRevision,
    MaxDisruption,
    PersistId,
    Shared,
)
from twinplane_cli.output import printable, table
from twinplane_client import ConfigClient
from twinplane_client.config import Committed, Plan

Name = Annotated[str, typer.Option("--persist-id", help="Of another session's commit.", show_default=False)]

_UNITS = {"cpu": "cpu (millicores)", "memory": "memory (bytes)"}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    _add_plan(app)
    _add_commit(app)
    _add_decisions(app)
    _add_rollback(app)


def _use(shared: bool) -> Use:
    return Use.KEPT if shared else Use.OPEN


def _add_plan(app: typer.Typer) -> None:
    @command(app)
    def plan(ctx: typer.Context, shared: Shared = False) -> None:
        """Show every step and effect of a commit without doing anything."""
        work = invocation.of(ctx)
        with work.config(_use(shared)) as client:
            planned = client.plan(option.candidate(shared))
        work.show(planned, *_told(planned))
        if planned.refused:
            raise typer.Exit(REFUSED)


def _told(plan: Plan) -> Iterator[RenderableType]:
    if not plan.changes:
        yield "no changes"
        return
    yield difference(plan.changes)
    yield ""
    steps = ((number, one.phase, one.effect, one.text) for number, one in enumerate(plan.steps, 1))
    yield table(("STEP", "PHASE", "EFFECT", "WHAT"), steps)
    yield ""
    yield table(("OBJECT", "EFFECT"), ((one.path, one.effect) for one in plan.effects))
    yield ""
    rows = (
        (_UNITS.get(one.resource, one.resource), one.total, one.reserved, one.committed, one.free)
        for one in plan.capacity
    )
    yield table(("AFTERWARDS", "TOTAL", "RESERVED", "COMMITTED", "FREE"), rows)
    if plan.refused:
        yield Text("\nas things are now, the commit would be refused:", "bold red")
        yield list_faults(plan.refused)


def _add_commit(app: typer.Typer) -> None:
    @command(app)
    def commit(
        ctx: typer.Context,
        confirmed: ConfirmedIn = None,
        persist_id: PersistId = "",
        comment: Comment = "",
        max_disruption: MaxDisruption = None,
        expected_revision: ExpectedRevision = 0,
        shared: Shared = False,
    ) -> None:
        """Make a candidate real: all of it happens, or nothing."""
        work, wanted = invocation.of(ctx), option.confirmed(confirmed, persist_id)
        # A commit without a persist-id waits for its session.
        with work.config(Use.OPEN if wanted else _use(shared)) as client:
            done = client.commit(
                option.candidate(shared),
                comment=comment,
                expected_revision=expected_revision,
                max_disruption=max_disruption,
                confirmed=wanted,
            )
        _show(work, done, confirmed, persist_id)


def _add_decisions(app: typer.Typer) -> None:
    @command(app)
    def confirm(ctx: typer.Context, persist_id: Name = "") -> None:
        """Keep the commit that waits."""
        work = invocation.of(ctx)
        with work.config(Use.ALIVE if persist_id else Use.REQUIRED) as client:
            revision = client.confirm(persist_id)
        work.show({"revision": revision}, f"confirmed: commit {revision}")

    @command(app)
    def cancel(ctx: typer.Context, persist_id: Name = "") -> None:
        """Take the commit that waits back."""
        work = invocation.of(ctx)
        with work.config(Use.ALIVE if persist_id else Use.REQUIRED) as client:
            revision = client.cancel(persist_id)
        work.show({"revision": revision}, f"taken back by commit {revision}")


def _add_rollback(app: typer.Typer) -> None:
    @command(app)
    def rollback(
        ctx: typer.Context,
        number: Annotated[
            int | None, typer.Argument(min=1, max=LARGEST, metavar="COMMIT", help="None: the last but one.")
        ] = None,
        confirmed: ConfirmedIn = None,
        persist_id: PersistId = "",
        comment: Comment = "",
        max_disruption: MaxDisruption = None,
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        """Make running what it was after a commit, by a new commit."""
        work, wanted = invocation.of(ctx), option.confirmed(confirmed, persist_id)
        with work.config(Use.OPEN if wanted else Use.KEPT) as client:
            if number is None:
                number, expected_revision = _last_but_one(client, expected_revision)
            done = client.rollback(
                number,
                comment=comment,
                expected_revision=expected_revision,
                max_disruption=max_disruption,
                confirmed=wanted,
            )
        _show(work, done, confirmed, persist_id)


def _last_but_one(client: ConfigClient, expected: int) -> tuple[int, int]:
    """Its number, and the commit it is the last but one of; raises CommandError where there is none."""
    newest, *older = client.list_commits(limit=2).records or (None,)
    if newest is None or not older:
        raise CommandError("there is no commit before the newest", exit_code=REFUSED)
    return older[0].number, expected or newest.number


def _show(work: Invocation, done: Committed, seconds: float | None, persist_id: str) -> None:
    if not done.changed and not done.persist_id:
        work.show(done, f"nothing to commit: running is commit {done.revision}")
        return
    human: list[RenderableType] = [difference(done.changes)] if done.changes else []
    human.append(Text(f"commit {done.revision}", "bold"))
    if done.persist_id:
        name = f" --persist-id {printable(shlex.quote(persist_id))}" if persist_id else ""
        ends = f"in {seconds:.10g} s"
        if seconds is not None and not persist_id and seconds > work.linger:
            ends += f", or with its session {work.linger:g} s after the last command"
        human.append(f"it is taken back {ends}, unless you run: twinplane confirm{name}")
    work.show(done, *human)
