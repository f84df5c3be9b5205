"""twinplane schema: the models that the box speaks."""

from typing import Annotated

import typer

from twinplane_cli import invocation
from twinplane_cli.command import command, group
from twinplane_cli.output import table
from twinplane_client.config import SchemaFormat


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    schema = group("The YANG modules of the box.")
    app.add_typer(schema, name="schema")

    @command(schema, "list")
    def list_(ctx: typer.Context) -> None:
        """List all modules."""
        work = invocation.of(ctx)
        with work.config() as client:
            found = client.list_schemas()
        rows = (
            (
                one.name,
                one.revision,
                "yes" if one.implemented else "imported",
                one.organization,
                one.namespace,
            )
            for one in found.schemas
        )
        work.show(found, table(("NAME", "REVISION", "IMPLEMENTED", "ORGANIZATION", "NAMESPACE"), rows))

    @command(schema)
    def get(
        ctx: typer.Context,
        name: Annotated[str, typer.Argument(metavar="MODULE", show_default=False)],
        revision: Annotated[str, typer.Option(help="Another than the one in use.", show_default=False)] = "",
        form: Annotated[SchemaFormat, typer.Option("--format")] = "yang",
    ) -> None:
        """Show the text of a module."""
        work = invocation.of(ctx)
        with work.config() as client:
            text = client.get_schema(name, revision=revision, form=form)
        work.show({"name": name, "format": form, "text": text}, text.rstrip())
