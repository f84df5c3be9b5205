"""Notifications: the events of the box as they come, after those that are kept (RFC 5277)."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace

from twinplane.errors import Fault
from twinplane.schema.resolve import expand
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.config.target import Target
from twinplane.services.config.wire import only, refused, wire_path
from twinplane.services.rpc import Write
from twinplane.services.view import View, Views
from twinplane.transaction import notice
from twinplane.transaction.notice import Notice
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path, parse
from twinplane_wire.v1 import config_pb2 as pb

MODULE = "twinplane-notifications"
AT_ONCE = 500  # events in one look at the file


class NotificationMethods:
    """Each follower reads the file at its own pace: one who is slow costs nobody else anything."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views

    async def follow(
        self, caller: Caller, requests: AsyncIterator[pb.NotificationsRequest], write: Write
    ) -> None:
        """What is stored from where the request says, then what comes. Raises RequestError."""
        request = await only(requests)
        self._target.session(request.session_id, caller.name)
        store, wanted = self._target.store, _Filter(self._target, request)
        view = self._views.of(caller)
        with store.bell.hearing() as rung:
            oldest, newest = await store.read(notice.bounds)
            position = await self._start(request, oldest, newest)
            replaying = request.stop_at_now or request.WhichOneof("start") is not None
            if position + 1 < oldest:
                gap = pb.Notification.Gap(**{"from": position + 1, "to": oldest - 1})
                await write(pb.Notification(gap=gap).SerializeToString())
                position = oldest - 1
            while True:
                rung.clear()
                while found := await self._after(position):
                    position = found[-1].sequence
                    seen = found if view is None else [one for each in found for one in _seen(each, view)]
                    for one in filter(wanted.wants, seen):
                        await write(_message(one).SerializeToString())
                if replaying:
                    replaying = False
                    await write(pb.Notification(replay_complete=True).SerializeToString())
                    if request.stop_at_now:
                        return
                await rung.wait()

    async def _start(self, request: pb.NotificationsRequest, oldest: int, newest: int) -> int:
        """The number of the event after which to begin."""
        match request.WhichOneof("start"):
            case "after_sequence":
                if request.after_sequence > newest:
                    raise refused(
                        Fault.VALUE, f"after_sequence is {request.after_sequence}, the newest event {newest}"
                    )
                return request.after_sequence
            case "since":
                found = await self._target.store.read(lambda db: notice.before(db, request.since))
                # What was before the oldest one that is kept may have been within the time.
                return 0 if found < oldest else found
            case _:
                return newest

    async def _after(self, position: int) -> Sequence[Notice]:
        return await self._target.store.read(lambda db: notice.read(db, position, AT_ONCE))


class _Filter:
    """Which events a follower wants."""

    def __init__(self, target: Target, request: pb.NotificationsRequest) -> None:
        unknown = sorted(set(request.kind) - notice.KINDS)
        if unknown:
            known = ", ".join(sorted(notice.KINDS))
            raise refused(Fault.VALUE, f"there are no events {', '.join(unknown)}", f"known: {known}")
        self._kinds = frozenset(request.kind)
        self._below: list[Path] = []
        for wire in request.below:
            path = codec.absolute(gnmi_pb2.Path(), wire)
            self._below += [one.path for one in expand(target.schemas.table(path.origin), path)]

    def wants(self, event: Notice) -> bool:
        """Whether the event is of a wanted kind and about something at or below a wanted path."""
        if self._kinds and event.kind not in self._kinds:
            return False
        if not self._below:
            return True
        about = [event.path, *map(parse, event.body.get("object", ()))]
        return any(_is_below(path, above) for path in about for above in self._below)


def _seen(event: Notice, view: View) -> Iterator[Notice]:
    """An event without the objects that its reader does not see; nothing where it is about one of them."""
    if event.path.elems and not view.reaches(event.path):
        return
    body = dict(event.body)
    if "object" in body:
        body["object"] = [one for one in body["object"] if view.reaches(parse(one))]
    if view.hides:  # a step names no path: whose it is, is not known here
        body |= {name: [] for name in ("step", "failed") if name in body}
    if "difference" in body:
        body["difference"] = list(map(view.text, body["difference"]))
    if "reason" in body:
        body["reason"] = view.text(body["reason"])
    yield replace(event, body=body)


def _is_below(path: Path, above: Path) -> bool:
    return (
        path.origin == above.origin
        and len(path.elems) >= len(above.elems)
        and all(
            mine.name == theirs.name and set(theirs.keys) <= set(mine.keys)
            for mine, theirs in zip(path.elems, above.elems, strict=False)
        )
    )


def _message(event: Notice) -> pb.Notification:
    return pb.Notification(
        sequence=event.sequence,
        time=event.time,
        kind=event.kind,
        path=wire_path(event.path),
        data=json.dumps({f"{MODULE}:{event.kind}": event.body}, separators=(",", ":")).encode(),
    )
