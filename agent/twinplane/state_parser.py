"""The command line of `twinplane-agent state`: its words, and what each of them calls."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from twinplane.settings import load

EXIT_REFUSED = 1

Config = Callable[[argparse.ArgumentParser], None]


def add(commands: Any, config: Config) -> None:
    """Add the command with all its actions; `config` adds the option that names the settings."""
    state = commands.add_parser(
        "state",
        help="look at the state directory; go on where part of it was lost",
        description="Where the database, the instance id or another part of the state directory is "
        "missing or damaged, the agent does not start and leaves guests and devices alone. These commands "
        "say what is left and how to go on. All but show and copy need the agent to be stopped.",
    )
    actions = state.add_subparsers(required=True, metavar="ACTION")

    show = actions.add_parser("show", help="what is there, what is missing, which copies there are")
    config(show)
    show.set_defaults(command=_show)

    copy = actions.add_parser("copy", help="write a copy of the database now (the agent may run)")
    config(copy)
    copy.set_defaults(command=_copy)

    restore = actions.add_parser(
        "restore",
        help="put a copy of the database in place",
        description="Puts a copy in the place of the database, keeps what was there in copies/, and "
        "says what differs. What the copy says is in force from the next start on; guests and devices that "
        "it does not know are left alone, with an alarm each, until they are configured or forgotten.",
    )
    config(restore)
    restore.add_argument(
        "copy", nargs="?", help="its name in copies/ or a path; default: the newest good one"
    )
    restore.set_defaults(command=_restore)

    adopt = actions.add_parser(
        "adopt",
        help="go on without what is missing; leave alone what runs",
        description="Finds the instance id again (in the database, in definitions of guests, in marks of "
        "devices) and goes on from the database that is there, or from one without configuration. Guests and "
        "devices that it does not know are left alone, with an alarm each. One that is configured again is "
        "taken over as it is.",
    )
    config(adopt)
    adopt.add_argument("instance", nargs="?", type=UUID, help="the instance id, where nothing else says it")
    adopt.set_defaults(command=_adopt)

    forget = actions.add_parser(
        "forget",
        help="begin with nothing, or let go of what was left alone: THE NEXT START ENDS IT",
        description="Without a sound database: begins with an empty one, and the next start ends every guest "
        "and removes every device of the one that was lost. With one: the next start removes what "
        "restore or adopt left alone (all of it, or the objects named). Without --yes it changes nothing.",
    )
    config(forget)
    forget.add_argument("object", nargs="*", help="path of an object that is left alone")
    forget.add_argument("--yes", action="store_true", help="do it")
    forget.set_defaults(command=_forget)


def _show(options: argparse.Namespace) -> int:
    from twinplane import state_command

    return _print(asyncio.run(state_command.show(load(options.config).agent.state_dir)))


def _copy(options: argparse.Namespace) -> int:
    from twinplane import state_command

    return _print(state_command.write_copy(load(options.config).agent.state_dir))


def _restore(options: argparse.Namespace) -> int:
    from twinplane import state_command

    root = load(options.config).agent.state_dir
    return _print(asyncio.run(state_command.restore(root, options.copy)))


def _adopt(options: argparse.Namespace) -> int:
    from twinplane import state_command

    root = load(options.config).agent.state_dir
    return _print(asyncio.run(state_command.adopt(root, options.instance)))


def _forget(options: argparse.Namespace) -> int:
    from twinplane import state_command

    root = load(options.config).agent.state_dir
    lines, done = asyncio.run(state_command.forget(root, options.object, sure=options.yes))
    return _print(lines) if done else _print(lines) or EXIT_REFUSED


def _print(lines: Sequence[str]) -> int:
    for line in lines:
        print(line)
    return 0
