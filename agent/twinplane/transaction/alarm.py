"""What is not as configured, kept until it is: alarms and objects that failed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from twinplane.plan.step import Phase, Step
from twinplane.state.facts import AlarmFact
from twinplane.transaction.collaborator import Publisher
from twinplane.transaction.execute import Failure
from twinplane_wire.path import ROOT, Path

SYSTEM = ROOT.child("system")


def object_of(step: Step) -> Path:
    """The path of the object a step works for: an entry of a list below a top-level container."""
    return Path(step.owner.elems[:2], step.owner.origin)


class Alarms:
    """Raises each alarm once and clears it once. Which objects something failed on is known here only."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._raised: dict[str, AlarmFact] = {}
        self._failed: dict[Path, str] = {}
        self._unfinished: set[Path] = set()
        self._waiting: set[Path] = set()

    @property
    def unfinished(self) -> frozenset[Path]:
        """The objects on which something failed and has to be tried again."""
        return frozenset(self._unfinished)

    def report(self, failures: Iterable[Failure], attempted: Iterable[Path]) -> None:
        """The result of working on `attempted`: what failed is alarmed, what did not is cleared.

        An object whose final step failed is as configured but for what is left over: alarmed, not FAILED.
        """
        worst: dict[Path, Failure] = {}
        for one in failures:
            worst.setdefault(object_of(one.step), one)
        for path in set(attempted) | set(worst):
            failure = worst.get(path)
            if failure is None:
                self.clear(f"failed {path}")
                self._unfinished.discard(path)
                self._settle(path, None)
                continue
            final = failure.step.phase is Phase.FINAL
            reason = f"{failure.step.key}: {failure.cause}"
            kind = "FINAL_STEP_FAILED" if final else "OBJECT_FAILED"
            self.set(f"failed {path}", kind, "MAJOR", reason, path)
            self._unfinished.add(path)
            self._settle(path, None if final else reason)

    def waiting(self, objects: Mapping[Path, str]) -> None:
        """Replace the alarms of running guests whose definition differs and waits for their next start."""
        for path in self._waiting - set(objects):
            self.clear(f"pending-change {path}")
        self._waiting = set(objects)
        for path, name in objects.items():
            text = f"{name} differs from its configuration and is left running; stop and start it"
            self.set(f"pending-change {path}", "OBJECT_FAILED", "WARNING", text, path)

    def set(self, name: str, kind: str, severity: str, text: str, path: Path = SYSTEM) -> None:
        """Raise the alarm, or change its text. Kinds and severities are those of `AlarmFact`."""
        alarm = AlarmFact(name, str(path), severity, text, kind=kind)
        if self._raised.get(name) != alarm:
            self._raised[name] = alarm
            self._publisher.observed((alarm,))

    def clear(self, name: str) -> None:
        """Clear the alarm if it is raised."""
        alarm = self._raised.pop(name, None)
        if alarm is not None:
            self._publisher.observed((replace(alarm, cleared=True),))

    def _settle(self, path: Path, reason: str | None) -> None:
        if self._failed.get(path) == reason:
            return
        if reason is None:
            del self._failed[path]
        else:
            self._failed[path] = reason
        self._publisher.failed(path, reason)
