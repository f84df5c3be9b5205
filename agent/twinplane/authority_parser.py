"""The command line of `twinplane-agent certificate` beyond clients' own: status, authority, server."""

import argparse
import datetime
from collections.abc import Callable, Sequence
from typing import Any

from twinplane.settings import TlsMode, load

EXIT_REFUSED = 1

Config = Callable[[argparse.ArgumentParser], None]


def add(actions: Any, config: Config) -> None:
    """Add the actions; `config` adds the option that names the settings."""
    status = actions.add_parser("status", help="what certificates there are, and what is not in order")
    config(status)
    status.set_defaults(command=_status)

    authority = actions.add_parser("authority", help="renew or replace the authority").add_subparsers(
        required=True, metavar="ACTION"
    )
    renew = authority.add_parser(
        "renew",
        help="write ca.pem again, with the same key; certificates of clients stay good",
        description="Writes ca.pem again with the key and the name that it has, good for ten years from now, "
        "also where only ca.key is left. Clients need the new ca.pem before the old one ends.",
    )
    config(renew)
    renew.set_defaults(command=_authority_renew)
    replace = authority.add_parser(
        "replace",
        help="make another authority; every client is shut out until it has a new certificate",
        description="Makes another authority with another key and issues the agent's own certificates again. "
        "Every client needs a new certificate and the new ca.pem. What was there is kept aside in tls/.",
    )
    config(replace)
    replace.set_defaults(command=_authority_replace)

    server = actions.add_parser("server", help="renew the server's certificate").add_subparsers(
        required=True, metavar="ACTION"
    )
    again = server.add_parser(
        "renew",
        help="issue another key and certificate for this host, in the place of what is there",
        description="Issues another key and certificate for this host under all its names. What was there, "
        "an operator's own too, is kept aside in tls/.",
    )
    config(again)
    again.set_defaults(command=_server_renew)


def _status(options: argparse.Namespace) -> int:
    from twinplane.identity.authority_command import status
    from twinplane.identity.host_name import host_names

    settings = load(options.config)
    mutual = settings.listen.mode is TlsMode.MUTUAL
    lines, good = status(settings.agent.state_dir, host_names(), _now(), mutual=mutual)
    return _print(lines, 0 if good else EXIT_REFUSED)


def _authority_renew(options: argparse.Namespace) -> int:
    from twinplane.identity.authority_command import renew_authority

    return _print(renew_authority(load(options.config).agent.state_dir, _now()))


def _authority_replace(options: argparse.Namespace) -> int:
    from twinplane.identity.authority_command import replace_authority
    from twinplane.identity.host_name import host_names

    return _print(replace_authority(load(options.config).agent.state_dir, host_names(), _now()))


def _server_renew(options: argparse.Namespace) -> int:
    from twinplane.identity.authority_command import renew_server
    from twinplane.identity.host_name import host_names

    return _print(renew_server(load(options.config).agent.state_dir, host_names(), _now()))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _print(lines: Sequence[str], code: int = 0) -> int:
    for line in lines:
        print(line)
    return code
