"""What all commands share: ``--output`` behind the command too, and errors that end in words and a code."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from twinplane_cli import invocation
from twinplane_cli.errors import INTERRUPTED, CommandError, explain
from twinplane_cli.output import Output
from twinplane_client import TwinplaneError

OutputOption = Annotated[
    Output | None,
    typer.Option("--output", "-o", help="For people, or one JSON document.", show_default=False),
]


def group(help_text: str) -> typer.Typer:
    """Commands under one word."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)


def command(
    app: typer.Typer, name: str = "", *, streams: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function, whose first parameter is `ctx: typer.Context`, a command of `app`. One that `streams`
    is meant to be interrupted."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(ctx: typer.Context, output: Output | None = None, **options: Any) -> None:
            work = invocation.of(ctx)
            if output is not None:
                work = replace(work, output=output)
                ctx.obj = work
            try:
                function(ctx, **options)
            except (TwinplaneError, CommandError) as error:
                code = explain(error, work.output, work.target.address)
                raise typer.Exit(code) from None
            except KeyboardInterrupt:
                if not streams:
                    work.remark("interrupted: what was asked may have happened")
                raise typer.Exit(INTERRUPTED) from None
            except OSError as error:
                if error.filename is None:
                    raise  # a reader that has gone: Typer's business
                wrong = CommandError(f"{error.filename}: {error.strerror}")
                raise typer.Exit(explain(wrong, work.output, "")) from None

        shared = inspect.Parameter(
            "output", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=OutputOption
        )
        signature = inspect.signature(function)
        parameters = [*signature.parameters.values(), shared]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {**function.__annotations__, "output": OutputOption}
        app.command(name or None)(run)
        return function

    return register
