"""twinplane get: configuration and state."""

from typing import Annotated, Literal, TypeAlias
from xml.dom import minidom

import typer
from rich.console import RenderableType
from rich.text import Text as Words

from twinplane_cli import invocation, value
from twinplane_cli.command import command
from twinplane_cli.errors import CommandError
from twinplane_cli.invocation import Invocation, Use
from twinplane_cli.option import LARGEST, Defaults, Depth, Encoding, Paths
from twinplane_cli.output import document, printable
from twinplane_client.config import Text

Source: TypeAlias = Literal["running", "candidate", "private"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""

    @command(app)
    def get(
        ctx: typer.Context,
        paths: Paths = None,
        config: Annotated[bool, typer.Option("--config", help="What is configured, no state.")] = False,
        state: Annotated[bool, typer.Option("--state", help="State alone.")] = False,
        source: Annotated[
            Source | None, typer.Option(help="What is configured there.", show_default=False)
        ] = None,
        commit: Annotated[
            int, typer.Option(min=0, max=LARGEST, help="As it was after this commit.", show_default=False)
        ] = 0,
        depth: Depth = 0,
        with_defaults: Defaults = None,
        encoding: Encoding = "json",
    ) -> None:
        """Show configuration and state below paths (wildcards: *, ...); without a path, everything."""
        work = invocation.of(ctx)
        configured = config or source is not None or commit > 0
        if state and configured:
            raise CommandError("--state is not configuration", "leave out --config, --source and --commit")
        where = [value.path(one) for one in paths or ()]
        with work.config(Use.OPEN if source == "private" else Use.NONE) as client:
            if configured:
                found = client.get_config(
                    *where,
                    source=source or "running",
                    commit=commit,
                    depth=depth,
                    with_defaults=with_defaults,
                    encoding=encoding,
                )
            else:
                found = client.get_data(
                    *where,
                    content="state" if state else "all",
                    depth=depth,
                    with_defaults=with_defaults,
                    encoding=encoding,
                )
        show_texts(work, found)


def show_texts(work: Invocation, found: tuple[Text, ...]) -> None:
    """Nodes of a datastore: one alone as it can be read again, several each under its path."""
    if not found:
        work.remark("nothing is there")
    human: list[RenderableType] = []
    for one in found:
        if len(found) > 1:
            human.append(Words(printable(str(one.path)), "bold"))
        human.append(_pretty(one))
    work.show([_document(one) for one in found], *human)


def _document(node: Text) -> dict[str, object]:
    content = {"text": node.text.decode()} if node.encoding == "xml" else {"value": node.value}
    return {"path": node.path, **content, "revision": node.revision}


def _pretty(node: Text) -> RenderableType:
    if node.encoding != "xml":
        return document(node.value)
    indented = minidom.parseString(node.text).toprettyxml(indent="  ")
    return printable(indented.partition("\n")[2].rstrip())
