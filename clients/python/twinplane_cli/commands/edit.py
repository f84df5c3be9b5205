"""twinplane edit: changes of a candidate."""

from typing import Annotated, Literal

import typer

from twinplane_cli import invocation, option, value
from twinplane_cli.command import command, group
from twinplane_cli.errors import CommandError
from twinplane_cli.invocation import Use
from twinplane_cli.option import Encoding, ExpectedRevision, Shared
from twinplane_client import Edit
from twinplane_client.config import TestOption, TextEncoding

Where = Annotated[str, typer.Argument(metavar="PATH", show_default=False)]
Content = Annotated[
    str, typer.Argument(metavar="VALUE|@FILE|-", help="JSON (or XML), a file, stdin.", show_default=False)
]
Several = Annotated[list[str], typer.Argument(metavar="PATH...", show_default=False)]
Tested = Annotated[
    TestOption,
    typer.Option("--test", help="Refuse what does not make a valid whole, or do nothing but judge."),
]
First = Annotated[bool, typer.Option("--first", help="In front of all others.")]
Last = Annotated[bool, typer.Option("--last", help="Behind all others (unless said otherwise).")]
Before = Annotated[str, typer.Option(metavar="PATH", help="In front of this entry.", show_default=False)]
After = Annotated[str, typer.Option(metavar="PATH", help="Behind this entry.", show_default=False)]
Operation = Literal["merge", "replace", "create"]
Removal = Literal["delete", "remove"]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    edit = group("Change a candidate: nothing is real before a commit.")
    app.add_typer(edit, name="edit")
    _add_set(edit)
    _add_content(edit, "merge", "Add to what is there.")
    _add_content(edit, "replace", "Put in the place of what is there.")
    _add_content(edit, "create", "Make what must not be there yet.")
    _add_removal(edit, "delete", "Take away what has to be there.")
    _add_removal(edit, "remove", "Take away what is there, if anything is.")
    _add_ordered(edit)
    _add_apply(edit)


def _add_set(edit: typer.Typer) -> None:
    @command(edit, "set")
    def set_(
        ctx: typer.Context,
        leaves: Annotated[list[str], typer.Argument(metavar="PATH=VALUE...", show_default=False)],
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        """Give leaves values, written without quotes of JSON: the model says what kind they are."""
        edits = [value.leaf(one) for one in leaves]
        _edit(ctx, edits, shared, test, expected_revision, "xml")


def _add_content(edit: typer.Typer, operation: Operation, text: str) -> None:
    def change(
        ctx: typer.Context,
        path: Where,
        content: Content,
        encoding: Encoding = "json",
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        edits = [Edit(operation, value.path(path), value.document(content, encoding))]
        _edit(ctx, edits, shared, test, expected_revision, encoding)

    change.__doc__ = text
    command(edit, operation)(change)


def _add_removal(edit: typer.Typer, operation: Removal, text: str) -> None:
    def change(
        ctx: typer.Context,
        paths: Several,
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        edits = [Edit(operation, value.path(one)) for one in paths]
        _edit(ctx, edits, shared, test, expected_revision, "json")

    change.__doc__ = text
    command(edit, operation)(change)


def _add_ordered(edit: typer.Typer) -> None:
    @command(edit)
    def insert(
        ctx: typer.Context,
        path: Where,
        content: Content,
        first: First = False,
        last: Last = False,
        before: Before = "",
        after: After = "",
        encoding: Encoding = "json",
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        """Make an entry at a place in a list whose order is the user's."""
        body = value.document(content, encoding)
        edits = [_placed(Edit("insert", value.path(path), body), first, last, before, after)]
        _edit(ctx, edits, shared, test, expected_revision, encoding)

    @command(edit)
    def move(
        ctx: typer.Context,
        path: Where,
        first: First = False,
        last: Last = False,
        before: Before = "",
        after: After = "",
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        """Put an entry of such a list somewhere else."""
        edits = [_placed(Edit("move", value.path(path)), first, last, before, after)]
        _edit(ctx, edits, shared, test, expected_revision, "json")


def _add_apply(edit: typer.Typer) -> None:
    @command(edit)
    def apply(
        ctx: typer.Context,
        file: Annotated[
            str,
            typer.Argument(
                metavar="@FILE|-",
                help="A list of {operation, path, value, insert, point}.",
                show_default=False,
            ),
        ],
        shared: Shared = False,
        test: Tested = "set",
        expected_revision: ExpectedRevision = 0,
    ) -> None:
        """Make many edits at once, as in YANG Patch: all of them or none."""
        _edit(ctx, value.edits(file), shared, test, expected_revision, "json")


def _placed(edit: Edit, first: bool, last: bool, before: str, after: str) -> Edit:
    if sum((first, last, bool(before), bool(after))) > 1:
        raise CommandError("an entry has one place", "give one of --first, --last, --before, --after")
    if before or after:
        point = value.path(before or after)
        return Edit(edit.operation, edit.path, edit.value, "before" if before else "after", point)
    return Edit(edit.operation, edit.path, edit.value, "first" if first else "last")


def _edit(
    ctx: typer.Context,
    edits: list[Edit],
    shared: bool,
    test: TestOption,
    expected: int,
    encoding: TextEncoding,
) -> None:
    work, target = invocation.of(ctx), option.candidate(shared)
    with work.config(Use.KEPT if shared else Use.OPEN) as client:
        base = client.edit(
            *edits,
            target=target,
            test_option=test,
            encoding=encoding,
            expected_revision=expected,
        )
    whose = "shared" if shared else "private"
    done = "would be accepted" if test == "test-only" else f"in the {whose} candidate"
    number = f"{len(edits)} edit" + ("" if len(edits) == 1 else "s")
    result = {"edits": len(edits), "candidate": target, "base_revision": base}
    work.show(result, f"{number} {done}, on top of commit {base}")
