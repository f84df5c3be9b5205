"""Deadlines of guests that were asked to stop: no step waits for a guest, a later turn ends it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from twinplane.plan.resource import Domain, Key, Noun, Run
from twinplane.plan.step import Phase, Step
from twinplane.transaction.collaborator import Publisher
from twinplane.transaction.execute import Executor, Failure, ReadBack, facts
from twinplane.transaction.match import stopping
from twinplane.transaction.turn import Turns

Failed = Callable[[Sequence[Step], Sequence[Failure]], None]


class StopDeadlines:
    """One timer per guest that is still stopping, in seconds from the request (`stop-timeout`)."""

    def __init__(self, executor: Executor, publisher: Publisher, turns: Turns, failed: Failed) -> None:
        self._executor = executor
        self._publisher = publisher
        self._turns = turns
        self._failed = failed
        self._timers: dict[Key, tuple[Domain, asyncio.TimerHandle]] = {}

    def watch(self, steps: Iterable[Step], read_back: ReadBack) -> None:
        """Set a timer for each domain that was asked to stop and has not (or cannot be asked), drop it where
        that is over."""
        newest = {step.key: step for step in steps if step.key.noun is Noun.DOMAIN}
        for key, step in newest.items():
            wanted = step.after
            if not isinstance(wanted, Domain) or not stopping(wanted, read_back.get(key, _unread(step))):
                self._forget(key)
            elif key not in self._timers:
                end = partial(self._end, wanted)
                self._timers[key] = wanted, self._turns.post_later(wanted.stop_timeout, end)

    def _forget(self, key: Key) -> None:
        if key in self._timers:
            self._timers.pop(key)[1].cancel()

    async def _end(self, domain: Domain) -> None:
        asked, _ = self._timers.get(domain.key, (None, None))
        if asked is not domain:
            return  # an earlier turn wanted otherwise, or has asked anew
        del self._timers[domain.key]
        step = Step(Phase.FINAL, domain.key, domain.owner, domain, replace(domain, stop_timeout=0))
        seen = await self._executor.look([step])
        if domain.key in seen and not stopping(domain, seen[domain.key]):
            return
        read_back, failures = await self._executor.attempt([step])
        self._publisher.observed(facts([step], read_back))
        self._failed([step], failures)


def _unread(step: Step) -> Domain | None:
    """Who was to be asked and gives no answer runs; who was only defined does not."""
    if step.phase is not Phase.FINAL or not isinstance(step.after, Domain):
        return None
    return replace(step.after, run=Run.RUNNING)
