"""Extensions of requests (gNMI 2.8): what this target does not know is ignored, what it knows is judged.

A known extension that is malformed, occurs twice or rides on the wrong call is refused.
"""

from collections.abc import Iterable
from typing import NamedTuple

from twinplane.errors import Fault, RequestError, Violation
from twinplane.transaction.request import LONGEST_ROLLBACK, ROLLBACK_SECONDS, Act, Confirm, Election
from twinplane_wire.gnmi import gnmi_ext_pb2
from twinplane_wire.path import ROOT

Extensions = Iterable[gnmi_ext_pb2.Extension]

GET = frozenset({"depth"})
SUBSCRIBE = frozenset({"depth", "config_subscription", "history"})
SET = frozenset({"commit", "master_arbitration"})

OTHERS = ("registered_ext",)
LONGEST_NAME = 256


class SetOptions(NamedTuple):
    """What the extensions of a Set ask for."""

    confirm: Confirm | None
    election: Election | None


class Snapshot(NamedTuple):
    """What was at a time, in ns since the epoch."""

    time: int


class Span(NamedTuple):
    """What changed from a time on and before another, in ns since the epoch."""

    start: int
    end: int


class ReadOptions(NamedTuple):
    """What the extensions of a Get or Subscribe ask for: levels below each path (0: all), whether only
    configuration is followed, and a time that has passed (None: now)."""

    depth: int = 0
    config_only: bool = False
    past: Snapshot | Span | None = None


def check_none(extensions: Extensions) -> None:
    """Refuse every known extension. Raises RequestError."""
    _known(extensions, frozenset())


def of_read(extensions: Extensions, allowed: frozenset[str]) -> ReadOptions:
    """What a Get (`allowed` is GET) or a Subscribe (SUBSCRIBE) asks for.

    Raises:
        RequestError: SYNTAX.
    """
    known = _known(extensions, allowed)
    depth, config = known.get("depth"), known.get("config_subscription")
    if config is not None and config.config_subscription.WhichOneof("action") != "start":
        raise _refused("config_subscription of a client has to start")
    past = None if "history" not in known else _past(known["history"].history)
    return ReadOptions(0 if depth is None else depth.depth.level, config is not None, past)


def of_set(extensions: Extensions) -> SetOptions:
    """What a Set asks for.

    Raises:
        RequestError: SYNTAX.
    """
    known = _known(extensions, SET)
    commit, arbitration = known.get("commit"), known.get("master_arbitration")
    return SetOptions(
        None if commit is None else _confirm(commit.commit),
        None if arbitration is None else _election(arbitration.master_arbitration),
    )


def _known(extensions: Extensions, allowed: frozenset[str]) -> dict[str, gnmi_ext_pb2.Extension]:
    found: dict[str, gnmi_ext_pb2.Extension] = {}
    for extension in extensions:
        name = extension.WhichOneof("ext")
        if name is None or name in OTHERS:
            continue
        if name not in allowed:
            raise _refused(f"extension {name} does not belong to this call")
        if name in found:
            raise _refused(f"extension {name} occurs twice")
        found[name] = extension
    return found


def _past(history: gnmi_ext_pb2.History) -> Snapshot | Span:
    match history.WhichOneof("request"):
        case "snapshot_time":
            return Snapshot(_since_the_epoch(history.snapshot_time))
        case "range":
            return Span(_since_the_epoch(history.range.start), _since_the_epoch(history.range.end))
        case _:
            raise _refused("extension history asks for nothing")


def _since_the_epoch(time: int) -> int:
    if time < 0:
        raise _refused(f"extension history asks for {time}, a time before the epoch")
    return time


def _confirm(commit: gnmi_ext_pb2.Commit) -> Confirm:
    """The four actions (commit-confirmed specification, 3.2); 10 minutes unless the client says."""
    if not commit.id:
        raise _refused("extension commit has no id")
    if len(commit.id) > LONGEST_NAME:
        raise _refused(f"the id of a commit has at most {LONGEST_NAME} characters")
    match commit.WhichOneof("action"):
        case "commit":
            request = commit.commit
            if not request.HasField("rollback_duration"):
                return Confirm(Act.COMMIT, commit.id, ROLLBACK_SECONDS)
            return Confirm(Act.COMMIT, commit.id, _seconds(request))
        case "confirm":
            return Confirm(Act.CONFIRM, commit.id)
        case "cancel":
            return Confirm(Act.CANCEL, commit.id)
        case "set_rollback_duration":
            return Confirm(Act.EXTEND, commit.id, _seconds(commit.set_rollback_duration))
        case _:
            raise _refused("extension commit has no action")


def _seconds(request: gnmi_ext_pb2.CommitRequest | gnmi_ext_pb2.CommitSetRollbackDuration) -> float:
    duration = request.rollback_duration
    seconds = duration.seconds + duration.nanos / 1e9
    if not 0 < seconds <= LONGEST_ROLLBACK:
        raise _refused(
            f"rollback_duration is longer than 0 s and at most {LONGEST_ROLLBACK:.0f} s, not {seconds:g} s"
        )
    return seconds


def _election(arbitration: gnmi_ext_pb2.MasterArbitration) -> Election:
    if not arbitration.HasField("election_id"):
        raise _refused("extension master_arbitration has no election_id")
    if len(arbitration.role.id) > LONGEST_NAME:
        raise _refused(f"the id of a role has at most {LONGEST_NAME} characters")
    number = arbitration.election_id
    return Election(arbitration.role.id, number.high << 64 | number.low)


def _refused(text: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.SYNTAX, text))
