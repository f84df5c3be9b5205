"""The operational tree: configuration in force and what is, in one immutable tree per origin.

Every change goes through one pass: facts are taken in, the sections they concern are translated anew,
derivations follow, and what differs goes to the one listener, all leaves of a pass with one time. A pass is
synchronous, but for that of a large commit, which leaves others their turn: until its end everybody sees the
tree as it was, and what comes meanwhile waits for it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

from twinplane.aside import Slices, aside
from twinplane.clock import Clock
from twinplane.model.host import Capabilities
from twinplane.model.port import interface_path
from twinplane.plan.resource import Key
from twinplane.state.change import Change, compare
from twinplane.state.derive import DERIVATIONS, Derivation, utilization
from twinplane.state.facts import Batch, Fact, LinkFact
from twinplane.state.freshness import Freshness
from twinplane.state.hold import Hold
from twinplane.state.reported import Reported
from twinplane.state.section import Memory, Section
from twinplane.state.suspicion import suspects
from twinplane.state.translate import registry
from twinplane.state.translate.known import Known
from twinplane.state.translate.registry import Unit
from twinplane.state.turn import Turn
from twinplane.tree.node import EMPTY_ROOT, Container, Node, size
from twinplane.tree.query import get
from twinplane_wire.path import Path

T = TypeVar("T")
Step: TypeAlias = Callable[[], None] | None  # of a pass: work to be done before it goes on, if any
Steps: TypeAlias = Generator[Step, None, None]
Listener: TypeAlias = Callable[[Sequence[Change]], None]
Commits: TypeAlias = Callable[[int, str, str], None]
Complete: TypeAlias = Callable[[Path, Container], Container]

LARGE = 2000  # nodes of an object from which on it is looked at beside the event loop

log = logging.getLogger(__name__)

POLLED = (*registry.POLLED, *utilization.POLLED)
"""Schema paths of what bulk polls feed: a leaf, or a container with all its leaves."""


class ConfigChange(Protocol):
    """One object of the configuration before and after (None: absent)."""

    @property
    def path(self) -> Path:
        """The object."""

    @property
    def after(self) -> Node | None:
        """Its configuration now."""


@dataclass(frozen=True, slots=True)
class _Absent:
    """An object that nobody configured."""

    path: Path
    after: None = None


class Operational:
    """Holds the tree. Synchronous, on the event loop; only `fresh` and `publish` wait.

    `complete` fills an object's configuration with the defaults in use (the schema knows them); `standing`
    are the objects that have some without being configured, `memory` knows when what is there began.
    """

    def __init__(
        self,
        clock: Clock,
        complete: Complete = lambda _, node: node,
        derivations: tuple[Derivation, ...] = DERIVATIONS,
        freshness: Freshness | None = None,
        standing: Iterable[Path] = (),
        memory: Memory | None = None,
    ) -> None:
        self.freshness = freshness or Freshness()
        self.revision = 0
        self._clock = clock
        self._memory = memory
        self._complete = complete
        self._known = Known()
        self._roots: dict[str, Container] = {}
        self._made: dict[Unit | Derivation, tuple[Section, ...]] = {}
        self._contributions: dict[Derivation, dict[Path, Any]] = {item: {} for item in derivations}
        self._derived_from = frozenset(names for item in derivations for names in item.prefixes)
        self._host: Capabilities | None = None
        self._times: dict[Path, int] = {}
        self._seen = 0
        self._reported = Reported()
        self._hold: Hold | None = None
        self._listener: Listener | None = None
        self._followers: list[Listener] = []
        self._commits: Commits = lambda _, __, ___: None
        self._suspect: Callable[[frozenset[Path]], None] = lambda _: None
        self._gathered: tuple[Turn, dict[Unit, None]] | None = None
        self._late: deque[Callable[[], None]] | None = (
            None  # what came during a pass that leaves others turns
        )
        self._passed = asyncio.Event()
        self._passed.set()
        self._standing = frozenset(standing)
        self._run([_Absent(path) for path in self._standing], [], None)

    @property
    def view(self) -> Container:
        """The tree of the default origin."""
        return self._roots.get("", EMPTY_ROOT)

    def root(self, origin: str = "") -> Container:
        """The tree of an origin; empty where it has none."""
        return self._roots.get(origin, EMPTY_ROOT)

    def link(self, name: str) -> LinkFact | None:
        """The network device of that name, primary or alternative, as the host has it now."""
        return self._known.named(name)

    def waits_for(self, name: str) -> frozenset[Path]:
        """The objects that a host port of that name is configured in: switches, its interface."""
        interface = interface_path(name)
        switches = frozenset(self._known.wanted_ports.get(name, ()))
        return switches | {interface} if interface in self._known.config else switches

    def port_type(self, name: str) -> str | None:
        """What `state/type` of the interface row of that name says."""
        found = get(self.view, interface_path(name).child("state").child("type"))
        return found if isinstance(found, str) else None

    def listen(self, listener: Listener, commits: Commits = lambda _, __, ___: None) -> None:
        """Hand every pass that changed something to `listener`, synchronously, and tell `commits` the number
        of each commit (and the name of a confirmed one, and whose it is) after its pass. There is one
        listener."""
        self._listener = listener
        self._commits = commits

    def follow(self, listener: Listener) -> None:
        """Hand the same to another listener too, after the first one."""
        self._followers.append(listener)

    def gather(self) -> None:
        """Take in what comes without a look at what follows from it, until `settle`. For the start: what is
        configured, surveyed and reported then is about the same things, and nobody listens yet."""
        self._gathered = Turn(self._roots, self._clock.now_ns(), self._memory), {}

    def settle(self) -> None:
        """Bring all that was gathered into the tree, in one pass that nobody is told of."""
        if self._gathered is None:
            return
        (taken, units), self._gathered = self._gathered, None
        taken.time = self._clock.now_ns()
        _at_once(self._translate(taken, units))
        self._roots.update(taken.freeze())
        self._times.update(dict.fromkeys(taken.objects, taken.time))

    def suspect(self, hear: Callable[[frozenset[Path]], None]) -> None:
        """Tell `hear` of objects about which a source said what no transaction has read back."""
        self._suspect = hear

    def fixed(self, sections: Iterable[Section]) -> None:
        """Take in state that never changes as long as the agent lives."""
        found = tuple(sections)
        self._run((), [Unit(lambda _, __: found, "fixed")], None)

    def stamp(self) -> int:
        """The time of reading the tree as it is now: later changes of any leaf get a later time."""
        self._seen = self._clock.now_ns()
        return self._seen

    def apply(self, batch: Batch) -> None:
        """Take in what a source saw. With `complete`, what it reported before and not now is gone."""
        if self._late is not None:
            self._late.append(lambda: self.apply(batch))
            return
        if self._hold is not None and (batch := self._hold.keep(batch, self._known)).facts == ():
            return
        facts = tuple(self._reported.expand(batch, self._known))
        suspected = suspects(self._known, facts)
        self._run((), self._learned(facts), None)
        if suspected:
            self._suspect(suspected)

    def observed(self, facts: Sequence[Fact]) -> None:
        """Take in facts that were read back without a commit (after an undo, a repair); alarms."""
        if self._late is not None:
            self._late.append(lambda: self.observed(facts))
            return
        self._run((), self._held() + self._learned(facts), None)

    def committed(
        self,
        changes: Sequence[ConfigChange],
        facts: Sequence[Fact],
        time: int,
        revision: int,
        confirm: str = "",
        author: str = "",
    ) -> None:
        """A commit: configuration, what was held back so far and what was read back, in one pass.

        Leaves get the commit's `time` unless their object was changed or read at a later one meanwhile.
        `confirm` is the name of a commit that has to be confirmed, also where it is rolled back, and `author`
        whose it is.
        """
        self.revision = revision
        self._run(changes, self._held() + self._learned(facts), time)
        self._commits(revision, confirm, author)

    async def publish(
        self,
        changes: Sequence[ConfigChange],
        facts: Sequence[Fact],
        time: int,
        revision: int,
        confirm: str = "",
        author: str = "",
    ) -> None:
        """As `committed`, but with turns for others in a long pass; one commit after the other."""
        slices = Slices()
        late: deque[Callable[[], None]] = deque()
        self._late = late
        self._passed.clear()
        steps = self._commit(changes, facts, time, revision)
        try:
            for step in steps:
                await (slices.turn() if step is None else aside(step))
        except asyncio.CancelledError:
            _at_once(steps)  # to its end: half a pass is none
            raise
        finally:
            self._late = None
            self._passed.set()
            self.revision = revision
            self._commits(revision, confirm, author)
            while late:
                try:
                    late.popleft()()
                except Exception:
                    log.exception("what was reported during a commit could not be taken in")

    def hold(self, keys: frozenset[Key], owners: frozenset[Path]) -> None:
        """Hold back event facts about these objects until `release`; polled counters are not held back."""
        self._hold = Hold(keys, owners)

    def release(self) -> None:
        """What was held back follows; equal values are dropped."""
        hold, self._hold = self._hold, None
        if hold is not None:
            for batch in hold.take():
                self.apply(batch)

    def failed(self, path: Path, reason: str | None) -> None:
        """The object at `path` could not be brought to its configuration (None: it could, now)."""
        if self._late is not None:
            self._late.append(lambda: self.failed(path, reason))
            return
        self._run((), list(registry.fail(self._known, path, reason)), None)

    async def fresh(self, prefixes: Iterable[Path], max_age: float = 1.0) -> None:
        """Wait until polled leaves at, above or below one of the paths are at most `max_age` seconds old, but
        not longer than the limit; return at once where none is."""
        if any(map(polled, prefixes)):
            await self.freshness.fresh(max_age)
            await self._passed.wait()  # what was polled may have come during a pass

    def _held(self) -> list[Unit]:
        """What was held back up to now: older than what is read back now, so it has to come first."""
        batches = () if self._hold is None else self._hold.take()
        return [
            unit for batch in batches for unit in self._learned(self._reported.expand(batch, self._known))
        ]

    def _learned(self, facts: Iterable[Fact]) -> list[Unit]:
        return [unit for fact in facts for unit in registry.learn(self._known, fact)]

    def _run(self, changes: Sequence[ConfigChange], units: list[Unit], time: int | None) -> None:
        """The one pass, at once."""
        _at_once(self._pass(changes, units, time))

    def _commit(
        self, changes: Sequence[ConfigChange], facts: Sequence[Fact], time: int, revision: int
    ) -> Steps:
        """The pass of a commit, step by step."""
        units = self._held()
        for fact in facts:
            units += registry.learn(self._known, fact)
            yield None
        yield from self._pass(changes, units, time, revision)

    def _pass(
        self,
        changes: Sequence[ConfigChange],
        units: list[Unit],
        time: int | None,
        revision: int | None = None,
    ) -> Steps:
        """The one pass, step by step; nothing of it is seen before the last one."""
        if not units and not changes:
            return
        if self._gathered is not None:
            taken = self._gathered[0]
        else:
            taken = Turn(self._roots, self._clock.now_ns() if time is None else time, self._memory)
        for change in changes:
            units += yield from self._configure(taken, change.path, change.after)
            yield None
        if self._gathered is not None:
            self._gathered[1].update(dict.fromkeys(units))
        else:
            yield from self._translate(taken, dict.fromkeys(units))
            roots, found = yield from self._compare(taken)
            if revision is not None:
                self.revision = revision
            self._show(roots, found)

    def _translate(self, taken: Turn, units: Iterable[Unit]) -> Steps:
        """What follows from what is known now."""
        for unit in units:
            self._exchange(taken, unit, unit.translate(self._known, unit.subject))
            yield None
        yield from self._derive(taken)

    def _configure(self, taken: Turn, path: Path, after: Node | None) -> Generator[Step, None, list[Unit]]:
        before = self._known.config.get(path)
        if after is None and path in self._standing:
            after = Container()
        wanted = None
        if isinstance(after, Container):
            wanted = yield from _beside(partial(self._complete, path, after), after)
        taken.configure(path, before, wanted)
        return list(registry.configure(self._known, path, wanted))

    def _exchange(self, taken: Turn, key: "Unit | Derivation", sections: Iterable[Section]) -> None:
        before = self._made.get(key, ())
        after = tuple(sections)
        if [section.container for section in after] == [section.container for section in before]:
            after = tuple([taken.write(new, old) for new, old in zip(after, before, strict=True)])
        else:
            known = {section.container: section for section in before}
            after = tuple([taken.write(new, known.pop(new.container, None)) for new in after])
            for section in known.values():
                taken.clear(section)
        if after:
            self._made[key] = after
        elif before:
            del self._made[key]

    def _derive(self, taken: Turn) -> Steps:
        host = None if self._known.host is None else self._known.host.capabilities
        other_host = host != self._host
        self._host = host
        touched: dict[tuple[str, ...], list[tuple[Path, Node | None]]] = {}
        for path in {**taken.objects, **taken.altered}:
            names = tuple([elem.name for elem in path.elems])
            if names in self._derived_from:
                touched.setdefault(names, []).append((path, get(taken.root(path.origin), path)))
            yield None
        for derivation, contributions in self._contributions.items():
            changed = other_host
            for path, node in [item for names in derivation.prefixes for item in touched.get(names, ())]:
                value = derivation.contribute(path, node) if isinstance(node, Container) else None
                if value != contributions.get(path):
                    changed = True
                    if value is None:
                        del contributions[path]
                    else:
                        contributions[path] = value
                yield None
            if changed:
                self._exchange(taken, derivation, derivation.fold(contributions, host))

    def _compare(self, taken: Turn) -> Generator[Step, None, tuple[dict[str, Container], list[Change]]]:
        """The trees after the pass, and what differs in them."""
        found: list[Change] = []
        roots = taken.freeze()
        for path in taken.objects:
            before = get(self._roots.get(path.origin, EMPTY_ROOT), path)
            after = get(roots[path.origin], path)
            if before is after:
                continue
            parts, deletes = yield from _beside(partial(compare, path, before, after), before, after)
            if parts or deletes:
                found.append(
                    Change(path, taken.time, tuple(parts), tuple(deletes), before if deletes else None)
                )
            yield None
        found += [
            Change(path, taken.time, tuple(known))
            for path, known in taken.parts.items()
            if path not in taken.objects
        ]
        return roots, found

    def _show(self, roots: dict[str, Container], changes: list[Change]) -> None:
        """From here on everybody sees what changed."""
        for change in changes:
            change.time = self._time(change.object, change.time)
            if get(roots[change.object.origin], change.object) is None:
                self._seen = max(self._seen, self._times.pop(change.object))
        self._roots.update(roots)
        if changes and self._listener is not None:
            self._listener(changes)
        for follower in self._followers if changes else ():
            follower(changes)

    def _time(self, path: Path, time: int) -> int:
        """The time of a change of this object: that of the pass, but later than all it ever gave out."""
        if time <= max(self._times.get(path, 0), self._seen):
            time = self._clock.now_ns()
        self._times[path] = time
        return time


def _at_once(steps: Steps) -> None:
    for step in steps:
        if step is not None:
            step()


def _beside(work: Callable[[], T], *nodes: Node | None) -> Generator[Step, None, T]:
    """What pure work on these nodes returns; where they are large it is handed out, to be done anywhere."""
    if not any(size(node, LARGE) >= LARGE for node in nodes):
        return work()
    made: list[T] = []
    yield lambda: made.append(work())
    return made[0] if made else work()  # nobody did it: whoever was to was cancelled


def polled(path: Path) -> bool:
    """True when polled leaves stand at, above or below a path (which may hold wildcards)."""
    names = tuple(elem.name for elem in path.elems)
    if "..." in names:
        return True
    return any(
        all(mine in (theirs, "*") for mine, theirs in zip(names, schema_path, strict=False))
        for schema_path in POLLED
    )
