"""Drift: the host is not what the configuration says, and no transaction is under way that could be why.

Found by the ordinary planner: the steps that would lead from what is to what is wanted are the difference.
It is told, as an event and an alarm, and left as it is. A share that is not in force is a violation of that
share; everything else is drift.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from twinplane.aside import together
from twinplane.errors import DriverError, UnavailableError
from twinplane.plan.resource import Key, Link, Noun, Plug, Resource
from twinplane.plan.step import Step
from twinplane.transaction.alarm import object_of
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.confirm import Confirmations
from twinplane.transaction.driver import Found, Ownership
from twinplane.transaction.execute import LOOKS
from twinplane.transaction.foreign import astray, give_back, mask
from twinplane.transaction.ground import FILES, object_of_resource
from twinplane.transaction.journal import printed
from twinplane.transaction.match import stopping
from twinplane.transaction.notice import DRIFT, SHARE_VIOLATION, Notice, of_difference
from twinplane.transaction.reconcile import survey
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.turn import Turns
from twinplane_wire.path import Path

log = logging.getLogger(__name__)

SHARES = frozenset({Noun.SCHEDULER, Noun.QDISC})
ANSWERED = frozenset({Noun.DOMAIN, Noun.SCHEDULER})  # what is asked of a guest
ALARMS = {DRIFT: ("DRIFT", "MINOR"), SHARE_VIOLATION: ("SHARE_VIOLATION", "MINOR")}

SWITCHES = "virtual-switches"

FEW = 64  # resources

# What differs, one line each, by kind of event and object.
Differences = Mapping[tuple[str, Path], tuple[str, ...]]


class Drifts:
    """Looks in the writer's turns. What differs is told when it begins, when it becomes another, and when it
    is over."""

    def __init__(self, parts: Parts, standing: Standing, confirmations: Confirmations, turns: Turns) -> None:
        self._parts = parts
        self._standing = standing
        self._confirmations = confirmations
        self._turns = turns
        self._open: dict[tuple[str, Path], tuple[str, ...]] = {}

    def later(self) -> None:
        """Look again at what differs, if anything does: it may be over."""
        if self._open:
            self._turns.post(self._again)

    async def _again(self) -> None:
        try:
            await self.look(frozenset(path for _, path in self._open))
        except DriverError as error:
            log.warning("whether the host still differs could not be seen: %s", error)

    async def look(self, objects: frozenset[Path]) -> None:
        """Compare these objects with what is wanted of them, and tell what is new. What cannot be read (of a
        guest that gives no answer, say) is left out; what was told of its object is not over because of that.

        Raises:
            DriverError: the host cannot be read.
        """
        if self._standing.not_ready or self._standing.degraded or self._standing.misfit:
            return  # whoever sees to that sees to this
        objects -= {one.object for one in self._standing.left.values()}  # that is told, and repaired
        try:
            await self._standing.follow()
        except UnavailableError as error:
            log.warning("what host ports are called now could not be stored: %s", error)
        found, unread = await self._differences(objects)
        events: list[Notice] = []
        for kind, path in sorted({*found, *self._of(objects)}):
            now = found.get((kind, path), ())
            if now == self._open.get((kind, path), ()) or (path in unread and not now):
                continue
            events.append(of_difference(kind, path, now, self._parts.clock.now_ns()))
            self._tell(kind, path, now)
        if events:
            await self._store(events)

    @property
    def doubtful(self) -> frozenset[Path]:
        """The objects that the host is known to differ in, or that something failed on."""
        return frozenset(path for _, path in self._open) | self._standing.alarms.unfinished

    def _of(self, objects: frozenset[Path]) -> Iterable[tuple[str, Path]]:
        return [key for key in self._open if key[1] in objects]

    async def _differences(self, objects: frozenset[Path]) -> tuple[Differences, frozenset[Path]]:
        """What differs of these objects, and those of which something cannot be read."""
        parts = self._parts
        wanted = parts.model.realised(self._standing.running.forest, objects)
        if (waiting := self._confirmations.waiting) is not None:
            wanted = waiting.desired(wanted)
        wanted = {
            key: one
            for key, one in wanted.items()
            if key.noun not in FILES and object_of_resource(one) in objects
        }
        seen = await self._seen(wanted)
        unread = frozenset(object_of_resource(one) for key, one in wanted.items() if key not in seen)
        facts: dict[Key, Resource] = {}
        after: dict[Key, Resource] = {}
        for key, found in seen.items():
            one = wanted[key]
            fact = None if found.resource is None else mask(found.resource, one)
            if isinstance(one, Plug | Link) and found == Found(Ownership.ABSENT):
                continue  # an absent host port is waited for
            if stopping(one, fact):
                continue  # it was asked to, and has its time
            after[key] = one
            facts |= {} if fact is None else {key: fact}
        facts |= await self._strangers(objects, after)
        steps = parts.planner(facts, after, self._standing.foreign).steps
        planned = {step.key for step in steps}
        loose = give_back(astray(self._standing.foreign, objects, after))
        return _sorted((*steps, *(step for step in loose if step.key not in planned))), unread

    async def _strangers(self, objects: frozenset[Path], wanted: Resources) -> Resources:
        """The host ports that are in bridges of these objects, where nobody wants them."""
        if not any(path.elems[0].name == SWITCHES for path in objects):
            return {}
        ports = await self._parts.executor.survey(wanted, frozenset({Noun.PORT}))
        return {
            key: one
            for key, one in ports.items()
            if isinstance(one, Plug) and key not in wanted and object_of_resource(one) in objects
        }

    async def _seen(self, wanted: Resources) -> Mapping[Key, Found]:
        """What stands under these keys, but for what cannot be read: few are read one by one, many by one
        look at all that is ours."""
        executor = self._parts.executor
        surveyed: Resources = {}
        if len(wanted) > FEW:
            surveyed = await survey(executor, wanted, self._standing.foreign, ())
        # A survey knows nothing of a guest that gives no answer, which is not gone.
        single = [
            key
            for key, one in wanted.items()
            if len(wanted) <= FEW
            or isinstance(one, Plug | Link)
            or (key.noun in ANSWERED and key not in surveyed)
        ]
        found = await together(self._find, single, LOOKS)
        alone = dict(zip(single, found, strict=True))
        return {
            **{
                key: Found(Ownership.OWN, surveyed[key]) if key in surveyed else Found(Ownership.ABSENT)
                for key in wanted
                if key not in alone
            },
            **{key: one for key, one in alone.items() if one is not None},
        }

    async def _find(self, key: Key) -> Found | None:
        try:
            return await self._parts.executor.find(key)
        except DriverError as error:
            log.warning("whether %s is as configured cannot be seen: %s", key, error)
            return None

    def _tell(self, kind: str, path: Path, now: tuple[str, ...]) -> None:
        alarms, name = self._standing.alarms, f"{kind} {path}"
        if not now:
            self._open.pop((kind, path), None)
            alarms.clear(name)
            return
        self._open[kind, path] = now
        identity, severity = ALARMS[kind]
        alarms.set(name, identity, severity, f"not as configured: {'; '.join(now)}", path)

    async def _store(self, events: Sequence[Notice]) -> None:
        try:
            await self._parts.store.note(events)
        except UnavailableError as error:
            log.warning("%d events are lost: %s", len(events), error)


def _sorted(steps: Sequence[Step]) -> Differences:
    found: dict[tuple[str, Path], list[str]] = {}
    down = {object_of(step) for step in steps if step.key.noun is Noun.DOMAIN}
    for step in steps:
        path, share = object_of(step), step.key.noun in SHARES
        if share and path in down:
            continue  # who does not run has no share
        lines = found.setdefault((SHARE_VIOLATION if share else DRIFT, path), [])
        if (text := printed(step).partition(" ")[2]) not in lines:
            lines.append(text)
    return {key: tuple(lines) for key, lines in found.items()}
