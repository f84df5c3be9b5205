"""How a command ends when it does not end well: exit codes, and what is written to stderr.

==== ==========================================================================
0    done
1    refused by the box, or the answer is no (not valid, conflicts)
2    wrong use: arguments, a file that cannot be read
3    no answer: not reachable, not in time, or not let in
4    the session of earlier commands is gone, or there is none
70   a fault of this command
130  interrupted
==== ==========================================================================
"""

import json
from dataclasses import asdict

from rich.text import Text

from twinplane_cli.output import Output, printable, stderr
from twinplane_client import (
    DeadlineError,
    ErrorEntry,
    TwinplaneError,
    UnauthenticatedError,
    UnavailableError,
)

OK, REFUSED, USAGE, UNANSWERED, NO_SESSION, INTERRUPTED = 0, 1, 2, 3, 4, 130

_REMEDIES: dict[type[TwinplaneError], str] = {
    UnavailableError: "is the agent running there? are --ca, --cert and --key those of this agent?",
    DeadlineError: "what was asked may have happened: look with 'twinplane history list'; or give --timeout",
    UnauthenticatedError: "give a certificate (--cert, --key), or --username and --password",
}


class CommandError(Exception):
    """A command cannot be carried out, for a reason on this side of the wire."""

    def __init__(self, message: str, remedy: str = "", exit_code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code


def explain(error: TwinplaneError | CommandError, output: Output, address: str) -> int:
    """Tell on stderr what went wrong, every fault with path, text and remedy; the exit code."""
    if isinstance(error, CommandError):
        code = {USAGE: "USAGE", NO_SESSION: "NO_SESSION"}.get(error.exit_code, "REFUSED")
        _tell(output, code, error.message, error.remedy, ())
        return error.exit_code
    remedy, message = _REMEDIES.get(type(error), ""), error.message
    if isinstance(error, UnavailableError):
        message = f"{address}: {message}"
    _tell(output, error.code, message, remedy, entries(error), error.violation_count)
    return UNANSWERED if type(error) in _REMEDIES else REFUSED


def entries(error: TwinplaneError) -> tuple[ErrorEntry, ...]:
    """Every fault of a refusal, whichever service told it."""
    return error.errors or tuple(
        ErrorEntry(
            "", one.fault, one.path, "", one.constraint, "", 0 if one.operation is None else one.operation + 1
        )
        for one in error.violations
    )


def list_faults(faults: tuple[ErrorEntry, ...]) -> Text:
    """One paragraph for each fault."""
    text = Text()
    for one in faults:
        text.append("error: ", "bold red")
        if one.operation:
            text.append(f"edit {one.operation}: ")
        if one.path not in ("", "/"):
            text.append(f"{printable(one.path)}: ", "bold")
        text.append(f"{printable(one.message)}\n")
        text.append_text(_help(one.remedy))
    text.rstrip()
    return text


def _tell(
    output: Output, code: str, message: str, remedy: str, faults: tuple[ErrorEntry, ...], count: int = 0
) -> None:
    if output == "json":
        document = {
            "code": code,
            "message": message,
            "remedy": remedy,
            "errors": [asdict(one) for one in faults],
        }
        print(json.dumps({"error": document}, ensure_ascii=False, indent=2), file=stderr().file)
        return
    stderr().print(_text(message, remedy, faults, count))


def _text(message: str, remedy: str, faults: tuple[ErrorEntry, ...], count: int) -> Text:
    text = Text()
    complete = _is_told(message, faults)
    if not complete:
        text.append("error: ", "bold red")
        text.append(f"{printable(message)}\n")
    if complete or not (faults and message.startswith(str(faults[0]))):
        text.append_text(list_faults(faults))
        text.append("\n")
    if count > len(faults):
        text.append(f"and {count - len(faults)} more\n")
    text.rstrip()
    text.append("\n")
    text.append_text(_help(remedy))
    text.rstrip()
    return text


def _is_told(message: str, faults: tuple[ErrorEntry, ...]) -> bool:
    """Whether the faults say all that the message says."""
    if not faults:
        return False
    more = message.removeprefix(str(faults[0]))
    return not more or (more != message and more.startswith("; and "))


def _help(remedy: str) -> Text:
    return Text.assemble(("  help: ", "cyan"), printable(remedy), "\n") if remedy else Text()
