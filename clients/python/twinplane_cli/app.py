"""The command as a whole: what stands in front of every command, and the commands."""

import importlib.metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from twinplane_cli.commands import (
    candidate,
    commit,
    edit,
    event,
    gnmi,
    history,
    lock,
    read,
    repair,
    schema,
    session,
)
from twinplane_cli.invocation import Invocation
from twinplane_cli.output import Output
from twinplane_client import Target

HELP = """Configure and watch a Twinplane box.

Edits go into a candidate, a commit makes it real: all of it, or nothing. Commands share a session, so that
edit, diff and commit may be separate commands.

Exit codes: 0 done, 1 refused by the box, 2 wrong use, 3 no answer or not let in, 4 the session is gone.
"""

app = typer.Typer(
    name="twinplane",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _from(variable: str, text: str) -> Any:
    return typer.Option(envvar=f"TWINPLANE_{variable}", help=text, show_default=False)


def _show_version(asked: bool) -> None:
    if asked:
        try:
            version = importlib.metadata.version("twinplane")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        typer.echo(f"twinplane {version}")
        raise typer.Exit


@app.callback()
def box(
    ctx: typer.Context,
    address: Annotated[str, _from("ADDRESS", "host:port, or unix:/path.")] = "",
    ca: Annotated[Path | None, _from("CA", "PEM file of the authorities to trust.")] = None,
    cert: Annotated[Path | None, _from("CERT", "PEM file of the caller's certificate.")] = None,
    key: Annotated[Path | None, _from("KEY", "PEM file of its key.")] = None,
    username: Annotated[str, _from("USERNAME", "Where the box asks for passwords.")] = "",
    password: Annotated[str, _from("PASSWORD", "Better not here, where process lists show it.")] = "",
    server_name: Annotated[str, _from("SERVER_NAME", "Name in the certificate, if not the address.")] = "",
    timeout: Annotated[
        float, typer.Option(min=0.1, max=86_400, help="Seconds to wait for an answer.")
    ] = 60.0,
    linger: Annotated[
        float,
        typer.Option(
            envvar="TWINPLANE_LINGER", min=1, max=86_400, help="Seconds a session lives after a command."
        ),
    ] = 3600.0,
    output: Annotated[
        Output,
        typer.Option("--output", "-o", envvar="TWINPLANE_OUTPUT", help="For people, or one JSON document."),
    ] = "human",
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """See HELP; Typer shows that one."""
    try:
        target = Target(
            address,
            ca=ca,
            certificate=cert,
            key=key,
            username=username,
            password=password,
            server_name=server_name,
            timeout=timeout,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    ctx.obj = Invocation(target, output, linger)


for part in (read, edit, candidate, commit, repair, history, lock, session, schema, event, gnmi):
    part.add_to(app)
