"""Arguments and options that several commands have."""

from typing import Annotated, Literal, TypeAlias

import typer

from twinplane_cli.errors import CommandError
from twinplane_client.config import Confirmed, Datastore, Effect, TextEncoding, WithDefaults

# What the wire has room for.
LARGEST = 2**63 - 1  # numbers of commits, sessions and events
LARGEST_DEPTH = 2**32 - 1
LONGEST = 2**32 - 1  # seconds, as RFC 6241 has them

Lockable: TypeAlias = Literal["running", "candidate"]

Paths = Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", show_default=False)]
Shared = Annotated[
    bool, typer.Option("--shared/--private", help="The candidate that all share, or the session's own.")
]
Depth = Annotated[int, typer.Option(min=0, max=LARGEST_DEPTH, help="Levels below each node, 0: all.")]
Defaults = Annotated[
    WithDefaults | None, typer.Option(help="Which defaults are told (RFC 6243).", show_default=False)
]
Encoding = Annotated[TextEncoding, typer.Option(help="How configuration is written.")]
Comment = Annotated[str, typer.Option("--comment", "-m", help="Kept in the history.", show_default=False)]
MaxDisruption = Annotated[
    Effect | None, typer.Option(help="Refuse what disturbs more than this.", show_default=False)
]
ExpectedRevision = Annotated[
    int,
    typer.Option(min=0, max=LARGEST, help="Refuse if running is not at this commit.", show_default=False),
]
ConfirmedIn = Annotated[
    float | None,
    typer.Option(
        "--confirmed",
        min=1,
        max=LONGEST,
        metavar="SECONDS",
        help="Take it back unless confirmed in time.",
        show_default=False,
    ),
]
PersistId = Annotated[
    str, typer.Option(help="A name by which any session may confirm or cancel.", show_default=False)
]
Reason = Annotated[str, typer.Option(help="Told to whoever is refused.", show_default=False)]


def candidate(shared: bool) -> Datastore:
    """What the candidate is called that an option names."""
    return "candidate" if shared else "private"


def confirmed(seconds: float | None, persist_id: str) -> Confirmed | None:
    """What is asked for by --confirmed and --persist-id. Raises CommandError for the latter alone."""
    if seconds is None:
        if persist_id:
            raise CommandError("--persist-id names a commit that waits", "give --confirmed SECONDS with it")
        return None
    return Confirmed(seconds, persist_id)
