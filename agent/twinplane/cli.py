"""The commands of `twinplane-agent`: run, check, plan, schema, state, history, user, certificate."""

import argparse
import asyncio
import datetime
import getpass
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from twinplane import __version__, authority_parser, log, state_parser
from twinplane.errors import RequestError, StartError
from twinplane.settings import load

EXIT_REFUSED = 1  # the host or the document is not in order
EXIT_START = 2  # the agent cannot start
EXIT_INTERRUPTED = 130  # as a shell reports it: 128 and the number of SIGINT


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0 done, 1 refused, 2 cannot start, 130 interrupted."""
    options = _parser().parse_args(arguments)
    # Guests run as a user of their own and read files below the state directory, whose modes say all; a
    # tighter mask of the shell would shut them out.
    os.umask(0o022)
    try:
        code = options.command(options)
    except StartError as error:
        print(f"twinplane-agent: {error}", file=sys.stderr)
        code = EXIT_START
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] == "twinplane":
            raise
        print(
            f"twinplane-agent: {error}; install what it needs: pip install 'twinplane[agent]'",
            file=sys.stderr,
        )
        code = EXIT_START
    except RequestError as error:
        where = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
        for violation in error.violations:
            print(f"twinplane-agent: {where}{violation}", file=sys.stderr)
        code = EXIT_REFUSED
    except BrokenPipeError:
        code = 0
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twinplane-agent",
        description="The agent of Twinplane: one Linux host, many virtual appliances.",
        epilog="Exit codes: 0 done, or told to stop; 1 refused by host or document; 2 wrong use, or cannot "
        "start; 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"twinplane-agent {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the agent in the foreground")
    _config(run)
    run.add_argument("--hints", action="store_true", help="print commands to try once it serves")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="validate settings and host; say what is missing")
    _config(check)
    check.set_defaults(command=_check)

    plan = commands.add_parser("plan", help="print the steps from one configuration to another")
    _config(plan)
    plan.add_argument("running", type=Path, help="JSON_IETF document (RFC 7951) of the whole box")
    plan.add_argument("candidate", type=Path, help="the same, as it should become")
    plan.set_defaults(command=_plan)

    schema = commands.add_parser("schema", help="print the tree of the models")
    _config(schema)
    schema.add_argument("path", nargs="?", default="/", help="a schema path to start from")
    schema.set_defaults(command=_schema)

    state_parser.add(commands, _config)

    history = commands.add_parser("history", help="purge values from the history").add_subparsers(
        required=True
    )
    purge = history.add_parser(
        "purge",
        help="take the values of a leaf out of every kept commit (the agent must be stopped)",
        description="Takes every value of a leaf out of the records of commits, for good. A "
        "list without keys in the path means all its entries. The configuration in force stays as it is. "
        "Commits that lost a value are shown without it and are not rolled back to.",
    )
    _config(purge)
    purge.add_argument("path", nargs="+", help="path of a leaf")
    purge.add_argument(
        "--copies", action="store_true", help="remove copies that hold a value; write a new one"
    )
    purge.set_defaults(command=_history_purge)

    user = commands.add_parser("user", help="add or remove users").add_subparsers(required=True)
    add = user.add_parser("add", help="add a user, or change its role or password")
    _config(add)
    add.add_argument("name")
    add.add_argument("--role", required=True, choices=("read-only", "operator", "admin"))
    add.add_argument("--password", action="store_true", help="ask for a password (or read a line of input)")
    add.set_defaults(command=_user_add)
    remove = user.add_parser("remove", help="remove a user and end its streams")
    _config(remove)
    remove.add_argument("name")
    remove.set_defaults(command=_user_remove)

    clock = commands.add_parser("clock", help="accept the host's clock after it was wrong")
    clock_actions = clock.add_subparsers(required=True, metavar="ACTION")
    accept = clock_actions.add_parser(
        "accept",
        help="go on from the clock as it is now, at the next start",
        description="Time that was given out never goes back. Where the clock was years ahead for a while, "
        "this gives up what that left: from the next start on timestamps follow the clock again.",
    )
    _config(accept)
    accept.set_defaults(command=_clock_accept)

    certificate = commands.add_parser("certificate", help="issue, revoke, renew; look at certificates")
    actions = certificate.add_subparsers(required=True)
    issue = actions.add_parser("issue", help="issue a client certificate for a user")
    _config(issue)
    issue.add_argument("name")
    issue.set_defaults(command=_certificate_issue)
    revoke = actions.add_parser("revoke", help="refuse a client certificate from now on and end its streams")
    _config(revoke)
    revoke.add_argument("which", metavar="SERIAL|NAME")
    revoke.set_defaults(command=_certificate_revoke)
    authority_parser.add(actions, _config)
    return parser


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); defaults without")


def _run(options: argparse.Namespace) -> int:
    from twinplane.app import run

    settings = load(options.config)
    log.configure(settings.log.level.value)
    asyncio.run(run(settings, hints=options.hints))
    return 0


def _check(options: argparse.Namespace) -> int:
    from twinplane.app import schema, wanted
    from twinplane.capability.report import missing, probe
    from twinplane.hypervisor.root import QEMU_USER, obstacle, sharing
    from twinplane.model.host import Accelerator
    from twinplane.remains import require_whole
    from twinplane.state_dir import check_place

    settings = load(options.config)
    check_place(settings.agent.state_dir)
    require_whole(settings.agent.state_dir)
    modules = len(schema(settings, None).default.modules)
    print(f"ok      settings; {modules} YANG modules")
    asked = wanted(settings)
    found = asyncio.run(probe(asked))
    lacking = missing(found, asked)
    print(f"ok      {found.cpus} CPUs, {found.memory >> 20} MiB; guests run under {found.accelerator.value}")
    for feature in found.features:
        mark = "ok     " if feature.available else "MISSING" if feature in lacking else "without"
        print(f"{mark} {feature.name}" + (f": {feature.reason}" if feature.reason else ""))
    kvm = found.accelerator is Accelerator.KVM
    hindrance = obstacle(settings.agent.state_dir / "libvirt", kvm=kvm)
    as_root = settings.hypervisor.allow_root
    mark = "ok     " if not hindrance else "without" if as_root else "MISSING"
    user = "root" if hindrance and as_root else QEMU_USER
    print(f"{mark} guest-user: {user}" + (f": {hindrance}" if hindrance else ""))
    if uids := settings.hypervisor.uids:
        shared = hindrance or sharing(uids)
        each = shared or f"one each of {uids[0]} to {uids[-1]}"
        print(f"{'without' if shared else 'ok     '} guest-user-ids: {each}")
    return EXIT_REFUSED if lacking or (hindrance and not as_root) else 0


def _plan(options: argparse.Namespace) -> int:
    from twinplane.offline import print_plan

    print_plan(load(options.config), options.running, options.candidate)
    return 0


def _schema(options: argparse.Namespace) -> int:
    from twinplane.offline import print_schema

    print_schema(load(options.config), options.path)
    return 0


def _history_purge(options: argparse.Namespace) -> int:
    from twinplane.history_command import purge

    for line in purge(load(options.config), options.path, with_copies=options.copies):
        print(line)
    return 0


def _user_add(options: argparse.Namespace) -> int:
    from twinplane.identity.command import add_user
    from twinplane.identity.role import Role

    password = _password() if options.password else None
    root = load(options.config).agent.state_dir
    return _changed(root, add_user(root, options.name, Role(options.role), password))


def _user_remove(options: argparse.Namespace) -> int:
    from twinplane.identity.command import drop_user

    root = load(options.config).agent.state_dir
    return _changed(root, drop_user(root, options.name))


def _clock_accept(options: argparse.Namespace) -> int:
    from twinplane import last_time
    from twinplane.transaction.copy import UnreadableError, content

    root = load(options.config).agent.state_dir
    database = root / "twinplane.db"
    try:
        stored = content(database).time if database.exists() else 0
    except UnreadableError as error:
        raise StartError(str(error)) from error
    print(last_time.accept(root, time.time_ns(), stored))
    return 0


def _certificate_issue(options: argparse.Namespace) -> int:
    from twinplane.identity.command import issue_certificate

    root = load(options.config).agent.state_dir
    print(issue_certificate(root, options.name, datetime.datetime.now(datetime.UTC)))
    return 0


def _certificate_revoke(options: argparse.Namespace) -> int:
    from twinplane.identity.command import revoke_certificate

    root = load(options.config).agent.state_dir
    return _changed(root, revoke_certificate(root, options.which))


def _password() -> str:
    text = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not text:
        raise StartError("the password is empty")
    return text


def _changed(root: Path, done: str) -> int:
    """Tell a running agent that the users changed, and the operator what was done."""
    from twinplane.state_dir import holder

    agent = holder(root)
    if agent is not None:
        try:
            os.kill(agent, signal.SIGHUP)
        except OSError as error:
            raise StartError(f"{done}; process {agent} could not be told: {error.strerror}") from error
    print(done + ("" if agent is None else f"; the running agent (process {agent}) was told"))
    return 0
