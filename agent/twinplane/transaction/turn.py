"""One thing at a time: jobs wait in a queue that one task owns.

A caller that goes away takes nothing with it: a job under way is finished, and only one that has not begun is
skipped. Timers are jobs that arrive later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from twinplane.errors import UnavailableError

T = TypeVar("T")
log = logging.getLogger(__name__)

STOPPED = "the agent stopped during this request: the next start undoes it or, if it was committed, ends it"


def is_cancelled(error: BaseException) -> bool:
    """Whether the running task itself is to end, and not only something that it waited for."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[], Awaitable[Any]]
    answer: asyncio.Future[Any] | None


class Turns:
    """The queue. `serve` is its one task; everything else may be called from any task of the loop."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._task: asyncio.Task[Any] | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._closing = False

    async def serve(self) -> None:
        """Do the jobs in order of arrival until closed."""
        self._task = asyncio.current_task()
        while (job := await self._jobs.get()) is not None:
            await self._do(job)

    async def take(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for a turn, do the work in it and return or raise what it does.

        Raises:
            UnavailableError: closed before or during the work.
        """
        if self._closing:
            raise UnavailableError("the agent is shutting down")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait(_Job(work, answer))
        return await answer

    def post(self, work: Callable[[], Awaitable[None]]) -> None:
        """Queue work that nobody waits for."""
        if not self._closing:
            self._jobs.put_nowait(_Job(work, None))

    def post_later(self, delay: float, work: Callable[[], Awaitable[None]]) -> asyncio.TimerHandle:
        """Queue it in `delay` seconds; the timer can be cancelled until then."""

        def due() -> None:
            self._timers.discard(timer)
            self.post(work)

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._timers = {other for other in self._timers if not other.cancelled()} | {timer}
        return timer

    async def close(self, grace: float) -> None:
        """Refuse new work at once, give the job under way `grace` seconds, then leave it where it stands."""
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        self._refuse_waiting()
        self._jobs.put_nowait(None)
        if self._task is None or self._task.done():
            return
        _, pending = await asyncio.wait({self._task}, timeout=grace)
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)

    async def _do(self, job: _Job) -> None:
        if job.answer is not None and job.answer.done():
            return
        try:
            result = await job.work()
        except asyncio.CancelledError as error:
            if is_cancelled(error):
                if job.answer is not None and not job.answer.done():
                    job.answer.set_exception(UnavailableError(STOPPED))
                raise
            self._failed(job, RuntimeError("what the writer waited for was cancelled"))
        except Exception as error:
            self._failed(job, error)
        else:
            if job.answer is not None and not job.answer.done():
                job.answer.set_result(result)

    def _failed(self, job: _Job, error: Exception) -> None:
        if job.answer is None:
            log.error("work of the writer failed", exc_info=error)
        elif not job.answer.done():
            job.answer.set_exception(error)
        else:
            log.error("a request failed after its caller had gone", exc_info=error)

    def _refuse_waiting(self) -> None:
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None and job.answer is not None and not job.answer.done():
                job.answer.set_exception(UnavailableError("the agent is shutting down"))
