"""A client that keeps what a stream tells it, and holds every message against the rules for all of them."""

from collections.abc import Awaitable, Callable
from typing import Any, Self

from conformance.wire import Stream, apply, joined, leaves, pb
from twinplane_wire.path import Elem, parse

YEAR_2001 = 10**18  # in ns since the epoch: seconds, or milliseconds, would be far below


class Follower:
    """The leaves as absolute path → value. `asked` are the paths that were subscribed to, without origin."""

    def __init__(self, stream: Stream, *asked: str) -> None:
        self.stream = stream
        self.leaves: dict[str, Any] = {}
        self.times: dict[str, int] = {}
        self.seen: list[pb.Notification] = []
        self.synced = 0
        self._asked = [parse(one).elems for one in asked or ("/",)]

    async def sync(self) -> Self:
        """Take in the initial values; they have no deletes and every leaf once."""
        for notification in await self.stream.until_sync():
            assert not notification.delete
            again = leaves([notification]).keys() & self.leaves.keys()
            assert not again, again
            self.take(notification)
        self.synced += 1
        return self

    async def next(self) -> pb.Notification:
        """The next notification, taken in."""
        notification = await self.stream.notification()
        self.take(notification)
        return notification

    async def until(self, met: Callable[[], bool]) -> None:
        """Take in notifications until something holds."""
        while not met():
            await self.next()

    async def quiet_before(self, mark: Awaitable[object]) -> pb.Notification:
        """The next notification after something was done; what comes earlier would have been it."""
        await mark
        return await self.next()

    def take(self, notification: pb.Notification) -> None:
        """Hold a notification against the rules, then apply it (SUB-30, -31, -32, -35, PATH-12, ENC-23)."""
        when = notification.timestamp
        assert when > YEAR_2001
        self.seen.append(notification)
        for gone in notification.delete:
            path = joined(notification.prefix, gone)
            assert any(_covers(asked, parse(path).elems) for asked in self._asked), path
            for known in self._below(path):
                assert when > self.times[known], f"the delete of {known} is not newer than its update"
        if notification.atomic:
            assert not notification.delete
        paths = [joined(notification.prefix, update.path) for update in notification.update]
        assert len(paths) == len(set(paths)), paths
        for path, update in zip(paths, notification.update, strict=True):
            assert update.HasField("path")
            assert update.val.WhichOneof("value")
            assert not update.HasField("value")
            assert any(_covers(asked, parse(path).elems) for asked in self._asked), path
            assert all(elem.name not in ("*", "...") for elem in parse(path).elems)
            assert "*" not in [value for elem in parse(path).elems for _, value in elem.keys]
            assert when >= self.times.get(path, 0), f"{path} goes back in time"
            self.times[path] = when
        apply(self.leaves, notification)

    def _below(self, path: str) -> list[str]:
        above = parse(path).elems
        return [known for known in self.leaves if parse(known).elems[: len(above)] == above]


def _covers(asked: tuple[Elem, ...], path: tuple[Elem, ...]) -> bool:
    """True when a path lies at or below what an asked one selects."""
    if not asked:
        return True
    if asked[0].name == "...":
        return any(_covers(asked[1:], path[skipped:]) for skipped in range(len(path) + 1))
    if not path or asked[0].name not in ("*", path[0].name):
        return False
    given = dict(path[0].keys)
    if any(value not in ("*", given.get(name)) for name, value in asked[0].keys):
        return False
    return _covers(asked[1:], path[1:])


def changed(notification: pb.Notification) -> dict[str, Any]:
    """The updates of one notification as absolute path → value."""
    return leaves([notification])


def deleted(notification: pb.Notification) -> list[str]:
    """The deletes of one notification as absolute paths."""
    return sorted(joined(notification.prefix, gone) for gone in notification.delete)
