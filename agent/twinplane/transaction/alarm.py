"""What is not as configured, kept until it is: alarms and objects that failed."""

from collections.abc import Iterable, Mapping, Sequence, Set

from twinplane.plan.resource import Key
from twinplane.plan.step import Phase, Step
from twinplane.state.raised import SYSTEM, Raised
from twinplane.transaction.collaborator import Publisher
from twinplane.transaction.execute import Failure
from twinplane_wire.path import Path


def object_of(step: Step) -> Path:
    """The path of the object a step works for: an entry of a list below a top-level container."""
    return Path(step.owner.elems[:2], step.owner.origin)


class Alarms:
    """Raises each alarm once and clears it once. Which objects something failed on is known here only."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._raised = Raised(publisher.observed)
        self._open: dict[Key, Failure] = {}
        self._failed: dict[Path, str] = {}
        self._waiting: set[Path] = set()
        self._cut_off: set[Path] = set()
        self._undone: dict[Path, str] = {}

    @property
    def unfinished(self) -> frozenset[Path]:
        """The objects on which something failed and has to be tried again."""
        return frozenset(object_of(failure.step) for failure in self._open.values())

    @property
    def failed(self) -> tuple[Step, ...]:
        """The steps that failed and have to be tried again."""
        return tuple(failure.step for failure in self._open.values())

    def report(self, failures: Iterable[Failure], attempted: Iterable[Key]) -> None:
        """The result of working on the resources `attempted`: what failed is alarmed, the rest cleared."""
        before = self.unfinished
        for key in attempted:
            self._open.pop(key, None)
        self._open |= {failure.step.key: failure for failure in failures}
        for path in before | self.unfinished:
            self._settle(path, [item for item in self._open.values() if object_of(item.step) == path])

    def report_all(
        self, failures: Iterable[Failure], only: frozenset[Path] | None, but: Set[Key] = frozenset()
    ) -> None:
        """The same after working on all there is (on the objects at these paths, where given) but these
        resources."""
        mine = [key for key, item in self._open.items() if only is None or object_of(item.step) in only]
        self.report(failures, [key for key in mine if key not in but])

    def undone(self, objects: Mapping[Path, str]) -> None:
        """What failed undos left over, by object: all there is of it."""
        before, self._undone = self._undone, dict(objects)
        for path in {**before, **objects}:
            if (text := objects.get(path)) is None:
                self.clear(f"undo {path}")
            else:
                what = f"a change could not be undone, left over: {text}; it is tried again"
                self.set(f"undo {path}", "UNDO_FAILED", "MAJOR", what, path)
            if before.get(path) != text:
                self._settle(path, [item for item in self._open.values() if object_of(item.step) == path])

    def waiting(self, objects: Mapping[Path, str], cut_off: Iterable[Path]) -> None:
        """Replace the alarms of running guests that a change of what is named reaches at their next start.
        Of those `cut_off` nothing shows it later, so that theirs stay until then."""
        self._cut_off.update(cut_off)
        for path in self._waiting - self._cut_off - set(objects):
            self.clear(f"pending-change {path}")
        self._waiting = self._waiting & self._cut_off | set(objects)
        for path, name in objects.items():
            text = f"the guest runs without a change of {name} that it needs a start for; stop and start it"
            self.set(f"pending-change {path}", "OBJECT_FAILED", "WARNING", text, path)

    def started(self, objects: frozenset[Path]) -> None:
        """The guests of these were started anew, or are gone: no change waits for that any more."""
        for path in self._waiting & objects:
            self.clear(f"pending-change {path}")
        self._waiting -= objects
        self._cut_off -= objects

    def set(self, name: str, kind: str, severity: str, text: str, path: Path = SYSTEM) -> None:
        """Raise the alarm, or change its text. Kinds and severities are those of `AlarmFact`."""
        self._raised.set(name, kind, severity, text, path)

    def clear(self, name: str) -> None:
        """Clear the alarm if it is raised."""
        self._raised.clear(name)

    def _settle(self, path: Path, failures: Sequence[Failure]) -> None:
        """One alarm for each object. Where only final steps failed it is as configured but for what is left
        over: alarmed, not FAILED."""
        failed = [item for item in failures if item.step.phase is not Phase.FINAL]
        worst = [*failed, *failures][:1]
        for item in worst:
            kind = "OBJECT_FAILED" if failed else "FINAL_STEP_FAILED"
            self.set(f"failed {path}", kind, "MAJOR", f"{item.step.key}: {item.cause}", path)
        if not worst:
            self.clear(f"failed {path}")
        reason = f"{failed[0].step.key}: {failed[0].cause}" if failed else self._undone.get(path)
        if self._failed.get(path) != reason:
            self._failed.pop(path, None)
            self._failed |= {} if reason is None else {path: reason}
            self._publisher.failed(path, reason)
