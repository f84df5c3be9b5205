"""When to sample: ticks on the loop's clock, without drift."""

from twinplane.subscribe.subscription import SECOND


class Ticker:
    """Ticks every `interval` nanoseconds from `start` (seconds of the loop's clock) on."""

    __slots__ = ("_interval", "due")

    def __init__(self, interval: int, start: float) -> None:
        self._interval = interval / SECOND
        self.due = start + self._interval

    def take(self, now: float) -> int | None:
        """None before the tick is due; else how many further ticks have been missed since."""
        if now < self.due:
            return None
        missed = int((now - self.due) / self._interval)
        self.due += (missed + 1) * self._interval
        return missed
