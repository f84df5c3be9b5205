"""ONCE, POLL and STREAM as async iterators of items; no gRPC types."""

from collections.abc import AsyncIterator

from twinplane.subscribe.encode import Item
from twinplane.subscribe.subscription import SubscriptionList


class Subscriber:
    """Serves subscriptions from the operational tree."""

    async def once(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """All current values, then `Synced`, then the end. POLL calls it for every poll."""
        raise NotImplementedError
        yield

    async def stream(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """Initial values, `Synced`, then changes and samples until the iterator is closed."""
        raise NotImplementedError
        yield
