"""Subscribe: what the subscribe room yields, as messages on one stream (gNMI 3.5).

The qos marking of a list is judged but not honoured: gRPC has no way to mark the packets of one stream.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.compile import DEFAULT_ORIGIN
from twinplane.schema.resolve import Resolved, expand, with_stars
from twinplane.schema.table import SchemaTable
from twinplane.services import codec, encode
from twinplane.services.auth import Caller, knows
from twinplane.services.gnmi.extension import SUBSCRIBE, ReadOptions, Snapshot, Span, of_read
from twinplane.services.gnmi.get import check_reached, is_one_node
from twinplane.services.gnmi.narrow import narrow
from twinplane.services.gnmi.past import Past
from twinplane.services.gnmi.subset import Kind, Subset
from twinplane.services.gnmi.target import Target
from twinplane.services.rpc import Limits, Write
from twinplane.services.view import View, Views
from twinplane.subscribe.encode import Committed, Item, Notice
from twinplane.subscribe.subscription import Mode, Subscription, SubscriptionList
from twinplane.subscribe.values import Moment
from twinplane_wire.gnmi import gnmi_ext_pb2, gnmi_pb2
from twinplane_wire.path import ROOT, Path

STREAM, ONCE, POLL = 0, 1, 2
MAX_DSCP = 63
# How many paths one path of a client may become, on average, where an extension leaves something out.
MOST_SCHEMA_PATHS = 20


class Subscriber(Protocol):
    """The subscribe room."""

    def once(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """Current values, then Synced."""

    def stream(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """The same, then what changes and what is sampled."""

    def past(
        self, wanted: SubscriptionList, moments: AsyncIterator[tuple[Moment, int]]
    ) -> AsyncIterator[Item]:
        """Values of the first moment, Synced, then what changed up to the last one."""


class Subscribe:
    """Serves any number of streams; only this file writes to one, message after message."""

    def __init__(
        self,
        target: Target,
        views: Views,
        subscriber: Subscriber,
        limits: Limits,
        past: Past | None = None,
    ) -> None:
        """Without `past` no history is served."""
        self._target = target
        self._views = views
        self._past = past
        self._subscriber = subscriber
        self._limits = limits

    async def __call__(
        self, caller: Caller, requests: AsyncIterator[gnmi_pb2.SubscribeRequest], write: Write
    ) -> None:
        """Serve one stream to its end. Raises RequestError for whatever the client did wrong."""
        first = await anext(requests, None)
        if first is not None:
            await self._serve(caller, first, requests, write)

    async def _serve(
        self,
        caller: Caller,
        first: gnmi_pb2.SubscribeRequest,
        requests: AsyncIterator[gnmi_pb2.SubscribeRequest],
        write: Write,
    ) -> None:
        options = of_read(first.extension, SUBSCRIBE)
        if not first.HasField("subscribe"):
            raise _refused(Fault.SYNTAX, "the first message has to subscribe")
        listed = first.subscribe
        if options.past is not None:
            _check_mode(listed.mode, options.past)
        wanted = await self._wanted(caller, listed, options)
        frame = _Frame(listed, caller)
        match listed.mode:
            case _ if options.past is not None:
                items = self._subscriber.past(wanted, self._moments(options.past, wanted))
                await self._alone(self._send(items, frame, write), requests)
            case _ if listed.mode == ONCE:
                await self._alone(self._send(self._subscriber.once(wanted), frame, write), requests)
            case _ if listed.mode == STREAM:
                await self._alone(self._send(self._subscriber.stream(wanted), frame, write), requests)
            case _ if listed.mode == POLL:
                await self._send(self._subscriber.once(wanted), frame, write)
                full = replace(wanted, updates_only=False)
                async for request in requests:
                    if not request.HasField("poll"):
                        raise _refused(Fault.SYNTAX, "a stream subscribes once, in its first message")
                    if of_read(request.extension, SUBSCRIBE) not in (options, ReadOptions()):
                        raise _refused(Fault.SYNTAX, "the extensions of a poll are those of its list")
                    await self._send(self._subscriber.once(full), frame, write)
            case _:
                raise _refused(Fault.VALUE, f"mode {listed.mode} is none of SubscriptionList")

    def _moments(self, past: Snapshot | Span, wanted: SubscriptionList) -> AsyncIterator[tuple[Moment, int]]:
        if self._past is None:
            raise _refused(Fault.NOT_SERVED, "extension history is not offered")
        origins = {entry.path.origin for entry in wanted.subscriptions}
        return self._past.moments(past, self._target.operational.stamp(), origins)

    async def _alone(
        self, send: Coroutine[None, None, None], requests: AsyncIterator[gnmi_pb2.SubscribeRequest]
    ) -> None:
        """Send to the end, or until the client says what it must not. That it has nothing more to say
        (half-close) ends nothing."""
        sending, listening = asyncio.ensure_future(send), asyncio.ensure_future(_refuse_more(requests))
        try:
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            await sending
        finally:
            for task in (sending, listening):
                task.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)

    async def _send(self, items: AsyncIterator[Item], frame: "_Frame", write: Write) -> None:
        async with aclosing(items) as open_items:  # type: ignore[type-var]
            async for item in open_items:
                await write(_message(item, frame))

    async def _wanted(
        self, caller: Caller, listed: gnmi_pb2.SubscriptionList, options: ReadOptions
    ) -> SubscriptionList:
        if not listed.subscription:
            raise _refused(Fault.SYNTAX, "the list of subscriptions is empty")
        if len(listed.subscription) > self._limits.subscriptions_per_stream:
            raise _refused(
                Fault.TOO_LARGE, f"a stream has at most {self._limits.subscriptions_per_stream} paths"
            )
        if len(listed.prefix.target) > codec.LONGEST_KEY:  # each message repeats it
            raise _refused(Fault.TOO_LARGE, f"the target has more than {codec.LONGEST_KEY} characters")
        if listed.qos.marking > MAX_DSCP:
            raise _refused(Fault.VALUE, f"qos marking {listed.qos.marking} is no DSCP (0 to {MAX_DSCP})")
        models = codec.check_models(self._target.schemas, listed.use_models)
        encoding = codec.encoding(listed.encoding)
        subscriptions: dict[Subscription, None] = {}
        violations: list[Violation] = []
        view = self._views.of(caller)
        for entry in listed.subscription:
            try:
                if view is not None:
                    self._authorise(view, caller, codec.absolute(listed.prefix, entry.path))
                subscriptions.update(dict.fromkeys(self._resolved(listed.prefix, entry, options, models)))
            except RequestError as error:
                violations += error.violations
            if len(subscriptions) > MOST_SCHEMA_PATHS * self._limits.subscriptions_per_stream:
                raise _refused(Fault.TOO_LARGE, "the paths select too many nodes of the schema; name fewer")
            await asyncio.sleep(0)  # wildcards take their time: others have their turn between two paths
        if violations:
            raise RequestError(*violations)
        return SubscriptionList(
            tuple(subscriptions), encoding, listed.updates_only, options.config_only, view
        )

    def _authorise(self, view: View, caller: Caller, path: Path) -> None:
        """Refuse a path that names one node which the caller does not see. Raises RequestError (DENIED)."""
        table = self._target.schemas.table(path.origin)
        found = expand(table, path)
        if len(found) == 1 and is_one_node(table, path, found[0].path):
            check_reached(view, caller, found[0].path)

    def _resolved(
        self,
        prefix: gnmi_pb2.Path,
        entry: gnmi_pb2.Subscription,
        options: ReadOptions,
        models: frozenset[str],
    ) -> Iterator[Subscription]:
        path = codec.absolute(prefix, entry.path)
        try:
            mode = Mode(entry.mode)
        except ValueError:
            raise RequestError(
                Violation(path, Fault.VALUE, f"mode {entry.mode} is none of SubscriptionMode")
            ) from None
        table = self._target.schemas.table(path.origin)
        subset = Subset(
            table, Kind.CONFIG if options.config_only or options.past is not None else Kind.ALL, models
        )
        selected_nodes = expand(table, path)
        if options.past is not None and not any(_configurable(table, found) for found in selected_nodes):
            raise RequestError(Violation(path, Fault.NOT_SERVED, "no history is kept of state"))
        for found in selected_nodes:
            for selected in narrow(with_stars(table, found.path), found.node, subset, options.depth):
                yield Subscription(
                    selected, mode, entry.sample_interval, entry.heartbeat_interval, entry.suppress_redundant
                )


class _Frame:
    """What is the same around all notifications of one stream: target and origin as the client put them."""

    def __init__(self, listed: gnmi_pb2.SubscriptionList, reader: Caller) -> None:
        self.reader = reader
        origins = {listed.prefix.origin, *(entry.path.origin for entry in listed.subscription)}
        self._default = DEFAULT_ORIGIN if DEFAULT_ORIGIN in origins else ""
        self._target = listed.prefix.target
        self._prefixes: dict[Path, bytes] = {}

    def message(self, notice: Notice) -> bytes:
        """The encoded SubscribeResponse."""
        prefix = self._encoded(notice.prefix) if notice.atomic else self._prefix(notice.prefix)
        parts = [encode.TIMESTAMP, encode.varint(notice.time), prefix]
        if notice.duplicates:
            updates = list(notice.updates)
            for index, count in notice.duplicates:
                updates[index] = encode.with_duplicates(updates[index], count)
            parts += updates
        else:
            parts += notice.updates
        parts += [encode.field(encode.DELETE, encode.path(elems)) for elems in notice.deletes]
        if notice.atomic:
            parts.append(encode.ATOMIC + b"\x01")
        return encode.field(encode.SUBSCRIBE_UPDATE, *parts)

    def _prefix(self, prefix: Path) -> bytes:
        known = self._prefixes.get(prefix)
        if known is None:
            known = self._prefixes[prefix] = self._encoded(prefix)
        return known

    def _encoded(self, prefix: Path) -> bytes:
        content = encode.path(prefix.elems, prefix.origin or self._default, self._target)
        return encode.field(encode.PREFIX, content) if content else b""


def _message(item: Item, frame: _Frame) -> bytes:
    """The encoded SubscribeResponse of whatever the subscribe room yields."""
    match item:
        case Notice():
            return frame.message(item)
        case Committed(revision, confirm, author):
            # Whoever knows the name of a commit that waits may decide about it.
            confirm = confirm if knows(frame.reader, author) else ""
            done = gnmi_ext_pb2.ConfigSubscriptionSyncDone(
                commit_confirm_id=confirm, server_commit_id=str(revision), done=True
            )
            subscription = gnmi_ext_pb2.ConfigSubscription(sync_done=done)
            extension = gnmi_ext_pb2.Extension(config_subscription=subscription)
            return gnmi_pb2.SubscribeResponse(extension=[extension]).SerializeToString()
        case _:
            return encode.SYNC_RESPONSE


def _configurable(table: SchemaTable, found: Resolved) -> bool:
    return any(True for _ in narrow(found.path, found.node, Subset(table, Kind.CONFIG)))


def _check_mode(mode: int, past: Snapshot | Span) -> None:
    if isinstance(past, Snapshot) and mode != ONCE:
        raise _refused(Fault.VALUE, "a snapshot of history is for mode ONCE")
    if isinstance(past, Span) and mode != STREAM:
        raise _refused(Fault.VALUE, "a range of history is for mode STREAM")


async def _refuse_more(requests: AsyncIterator[gnmi_pb2.SubscribeRequest]) -> None:
    async for request in requests:
        if request.HasField("poll"):
            raise _refused(Fault.SYNTAX, "a poll belongs to a list of mode POLL")
        raise _refused(Fault.SYNTAX, "a stream subscribes once, in its first message")


def _refused(fault: Fault, text: str) -> RequestError:
    return RequestError(Violation(ROOT, fault, text))
