"""Arguments to request messages. Pure: the only place that knows how a request looks."""

import json
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, TypeVar

from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path, parse
from twinplane_wire.value import Value

PathLike: TypeAlias = str | Path
EncodingName: TypeAlias = Literal["json", "json_ietf", "proto"]
DataType: TypeAlias = Literal["all", "config", "state", "operational"]
Mode: TypeAlias = Literal["on-change", "sample", "target-defined", "once"]
# The key of a Mapping is invariant, so that a dict of texts is none of PathLike.
ReplacedPath = TypeVar("ReplacedPath", bound=PathLike)
UpdatedPath = TypeVar("UpdatedPath", bound=PathLike)

LONGEST = 10**10  # seconds of an interval; as nanoseconds they fit into 64 bits
_STREAM_MODES = {
    "on-change": gnmi_pb2.ON_CHANGE,
    "sample": gnmi_pb2.SAMPLE,
    "target-defined": gnmi_pb2.TARGET_DEFINED,
    "once": gnmi_pb2.TARGET_DEFINED,  # without meaning there
}


def wire_path(path: PathLike, target: str = "") -> gnmi_pb2.Path:
    """The message of a path such as ``/interfaces/interface[name=eth0]``.

    Raises:
        PathSyntaxError: the text is no path.
    """
    given = parse(path) if isinstance(path, str) else path
    elems = [gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in given.elems]
    return gnmi_pb2.Path(elem=elems, origin=given.origin, target=target)


def capabilities() -> gnmi_pb2.CapabilityRequest:
    """What does the target speak?"""
    return gnmi_pb2.CapabilityRequest()


def get(
    paths: Iterable[PathLike],
    *,
    kind: DataType = "all",
    encoding: EncodingName = "json_ietf",
    target: str = "",
) -> gnmi_pb2.GetRequest:
    """A snapshot of each path."""
    return gnmi_pb2.GetRequest(
        prefix=_prefix(target),
        path=[wire_path(path) for path in paths],
        type=kind.upper(),
        encoding=encoding.upper(),
    )


def set_(
    *,
    delete: Iterable[PathLike] = (),
    replace: Mapping[ReplacedPath, Value] | None = None,
    update: Mapping[UpdatedPath, Value] | None = None,
    encoding: EncodingName = "json_ietf",
    target: str = "",
) -> gnmi_pb2.SetRequest:
    """One transaction: deletes, then replaces, then updates. Values are what `json.dumps` takes.

    Raises:
        ValueError: a value that is no JSON; the encoding proto, which carries scalars only.
    """
    return gnmi_pb2.SetRequest(
        prefix=_prefix(target),
        delete=[wire_path(path) for path in delete],
        replace=[_update(path, value, encoding) for path, value in (replace or {}).items()],
        update=[_update(path, value, encoding) for path, value in (update or {}).items()],
    )


def subscribe(
    paths: Iterable[PathLike],
    *,
    mode: Mode = "on-change",
    sample_interval: float = 0.0,
    heartbeat_interval: float = 0.0,
    suppress_redundant: bool = False,
    updates_only: bool = False,
    encoding: EncodingName = "json_ietf",
    target: str = "",
) -> gnmi_pb2.SubscribeRequest:
    """Values now (once) or from now on. Intervals in seconds; 0 leaves the choice to the target.

    Raises:
        ValueError: a mode that there is not, an interval below 0 or without end.
    """
    if mode not in _STREAM_MODES:
        raise ValueError(f"mode {mode!r} is none of {', '.join(_STREAM_MODES)}")
    listed = gnmi_pb2.SubscriptionList
    subscriptions = [
        gnmi_pb2.Subscription(
            path=wire_path(path),
            mode=_STREAM_MODES[mode],
            sample_interval=_nanoseconds(sample_interval),
            heartbeat_interval=_nanoseconds(heartbeat_interval),
            suppress_redundant=suppress_redundant,
        )
        for path in paths
    ]
    return gnmi_pb2.SubscribeRequest(
        subscribe=listed(
            prefix=_prefix(target),
            subscription=subscriptions,
            mode=listed.ONCE if mode == "once" else listed.STREAM,
            encoding=encoding.upper(),
            updates_only=updates_only,
        )
    )


def _nanoseconds(seconds: float) -> int:
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"an interval is 0 to {LONGEST:,} seconds, not {seconds}")
    return round(seconds * 1e9)


def _prefix(target: str) -> gnmi_pb2.Path | None:
    return gnmi_pb2.Path(target=target) if target else None


def _update(path: PathLike, value: Value, encoding: EncodingName) -> gnmi_pb2.Update:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    match encoding:
        case "json_ietf":
            typed = gnmi_pb2.TypedValue(json_ietf_val=text)
        case "json":
            typed = gnmi_pb2.TypedValue(json_val=text)
        case _:
            raise ValueError("a Set carries its values as json or json_ietf")
    return gnmi_pb2.Update(path=wire_path(path), val=typed)
