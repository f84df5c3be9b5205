"""``python -m twinplane_client``: the four RPCs of gNMI from a shell, results as JSON."""

import argparse
import base64
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from twinplane_client import Client, Notification, Sync, Target, TwinplaneError, split_assignment
from twinplane_client._parse import StreamItem
from twinplane_wire.path import PathSyntaxError, parse
from twinplane_wire.value import Value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when the target refused or is not there; 2, by SystemExit, for
    wrong use."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.address:
        parser.error("no address: give --address or set TWINPLANE_ADDRESS")
    try:
        target = Target(
            options.address,
            ca=options.ca,
            certificate=options.cert,
            key=options.key,
            username=options.username or "",
            password=options.password or "",
            server_name=options.server_name or "",
            timeout=options.timeout,
        )
        with Client(target) as client:
            _run(client, options)
    except TwinplaneError as error:
        _explain(error)
        return 1
    except BrokenPipeError:
        # Who reads the output has seen enough; the interpreter would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except ValueError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        return 130
    return 0


def _run(client: Client, options: argparse.Namespace) -> None:
    match options.command:
        case "capabilities":
            found = client.capabilities()
            models = [
                {"name": one.name, "organization": one.organization, "version": one.version}
                for one in found.models
            ]
            _print({"gnmi": found.version, "encodings": list(found.encodings), "models": models})
        case "get":
            for item in client.get(*options.path, kind=options.type, encoding=options.encoding):
                _print(_notification(item))
        case "set":
            result = client.set(
                delete=options.delete,
                replace=dict(options.replace),
                update=dict(options.update),
                encoding=options.encoding,
            )
            done = [{"operation": name, "path": str(path)} for name, path in result.operations]
            _print({"timestamp": result.timestamp, "operations": done})
        case _:
            _follow(
                client.subscribe(
                    *options.path,
                    mode=options.mode,
                    sample_interval=options.interval,
                    updates_only=options.updates_only,
                    encoding=options.encoding,
                )
            )


def _follow(items: Iterable[StreamItem]) -> None:
    for item in items:
        _print({"sync": True} if isinstance(item, Sync) else _notification(item), indent=None)


def _notification(item: Notification) -> dict[str, Any]:
    out: dict[str, Any] = {"timestamp": item.timestamp}
    if item.updates:
        out["updates"] = [{"path": str(one.path), "value": one.value} for one in item.updates]
    if item.deletes:
        out["deletes"] = [str(path) for path in item.deletes]
    return out


def _print(document: Any, indent: int | None = 2) -> None:
    print(json.dumps(document, indent=indent, ensure_ascii=False, default=_plain), flush=True)


def _plain(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _explain(error: TwinplaneError) -> None:
    print(f"{error.code}: {error.message}", file=sys.stderr)
    for violation in error.violations[1:]:
        print(f"  {violation}", file=sys.stderr)


def _assignment(text: str) -> tuple[str, Value]:
    """PATH=JSON; ``@FILE`` reads the JSON from a file."""
    try:
        path, value = split_assignment(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    try:
        document: Value = json.loads(Path(value[1:]).read_text() if value.startswith("@") else value)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{value[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"the value of {path} is no JSON ({error})") from error
    return path, document


def _path(text: str) -> str:
    try:
        parse(text)
    except PathSyntaxError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _from_environment(
    parser: argparse.ArgumentParser, name: str, text: str, kind: type[str] | type[Path] = str
) -> None:
    variable = f"TWINPLANE_{name.upper().replace('-', '_')}"
    # argparse passes a default that is text through `type` like an argument.
    parser.add_argument(
        f"--{name}", type=kind, default=os.environ.get(variable) or None, help=f"{text} (or ${variable})"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m twinplane_client", description="The four RPCs of gNMI from a shell, results as JSON."
    )
    _from_environment(parser, "address", "host:port, or unix:/path")
    _from_environment(parser, "ca", "PEM file of the authorities to trust", Path)
    _from_environment(parser, "cert", "PEM file of the caller's certificate", Path)
    _from_environment(parser, "key", "PEM file of its key", Path)
    _from_environment(parser, "username", "of a target that asks for passwords")
    _from_environment(parser, "password", "better not here, where process lists show it")
    _from_environment(parser, "server-name", "name in the certificate, if not the address")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds (%(default)s)")
    parser.add_argument("--encoding", choices=("json_ietf", "json", "proto"), default="json_ietf")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("capabilities", help="models, encodings and version")
    get = commands.add_parser("get", help="a snapshot of paths")
    get.add_argument("path", nargs="+", type=_path)
    get.add_argument("--type", choices=("all", "config", "state", "operational"), default="all")
    change = commands.add_parser("set", help="one transaction: deletes, replaces, updates")
    change.add_argument("--delete", action="append", default=[], type=_path, metavar="PATH")
    for name in ("replace", "update"):
        change.add_argument(
            f"--{name}", action="append", default=[], type=_assignment, metavar="PATH=JSON|PATH=@FILE"
        )
    follow = commands.add_parser("subscribe", help="values now, or as they change")
    follow.add_argument("path", nargs="+", type=_path)
    follow.add_argument(
        "--mode", choices=("on-change", "sample", "target-defined", "once"), default="on-change"
    )
    follow.add_argument("--interval", type=float, default=0.0, help="seconds between samples")
    follow.add_argument("--updates-only", action="store_true", help="no initial values")
    return parser


if __name__ == "__main__":
    sys.exit(main())
