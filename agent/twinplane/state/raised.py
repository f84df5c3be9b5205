"""Alarms that are raised: each is reported once and cleared once, whichever room knows of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from twinplane.state.facts import AlarmFact, Fact
from twinplane_wire.path import ROOT, Path

SYSTEM = ROOT.child("system")


class Raised:
    """Used on the event loop only. `observed` takes facts to the operational tree."""

    def __init__(self, observed: Callable[[Sequence[Fact]], None]) -> None:
        self._observed = observed
        self._raised: dict[str, AlarmFact] = {}

    def set(self, name: str, kind: str, severity: str, text: str, path: Path = SYSTEM) -> None:
        """Raise the alarm, or change its text. Kinds and severities are those of `AlarmFact`."""
        alarm = AlarmFact(name, str(path), severity, text, kind=kind)
        if self._raised.get(name) != alarm:
            self._raised[name] = alarm
            self._observed((alarm,))

    def clear(self, name: str) -> None:
        """Clear the alarm if it is raised."""
        alarm = self._raised.pop(name, None)
        if alarm is not None:
            self._observed((replace(alarm, cleared=True),))
