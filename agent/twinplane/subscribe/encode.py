"""The port through which services turn leaves into bytes, and what a stream yields.

Leaves are encoded one by one but asked for container by container, so that the encoder builds the path of a
container once. What it returns is kept with the node or the change and shared by all subscribers.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from twinplane.tree.node import Leaf
from twinplane_wire.path import Elem, Path

Encoding: TypeAlias = Hashable
"""Whatever value services use to tell encodings apart; here it is only a part of keys."""

PREFIX_DEPTH = 0
"""Number of path elements in the prefix of every notice that is not atomic.

None: what changed at one time can then share a message (grpc charges for messages, not for leaves), and
clients that join the initial messages under the prefix of the last one (pygnmi does) get all paths right.
"""

Rel: TypeAlias = tuple[Elem, ...]
"""A path relative to the prefix of its notice."""


class Encode(Protocol):
    """Serialises leaves. Has to be a pure function of its arguments; its results are cached."""

    def __call__(
        self,
        container: Path,
        leaves: Sequence[tuple[str, Leaf]],
        encoding: Encoding,
        depth: int = PREFIX_DEPTH,
    ) -> Sequence[bytes]:
        """One piece per leaf, in order: the bytes of one complete `update` field of a gNMI Notification
        (tag and length included) without `duplicates`.

        `container` is the absolute path (concrete keys) of the container or list entry that holds the leaves;
        the path inside each Update is that of the leaf without the first `depth` elements.
        """


@dataclass(frozen=True, slots=True)
class Notice:
    """The content of one Notification: one time for all that is in it, deletes before updates.

    Each of `updates` is one or several complete `update` fields, ready to be concatenated. `deletes` are
    relative to `prefix`. `duplicates` are (index in `updates`, count) for updates that stand for
    `count` dropped older values as well; a piece named there holds exactly one `update` field. With `atomic`
    the updates are all that is (subscribed) at or below `prefix`, which is then as long as it has to be.
    """

    prefix: Path
    time: int
    updates: tuple[bytes, ...] = ()
    deletes: tuple[Rel, ...] = ()
    duplicates: tuple[tuple[int, int], ...] = ()
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Synced:
    """All initial values have been sent (sync_response)."""


@dataclass(frozen=True, slots=True)
class Committed:
    """All changes of one commit have been sent. `revision` is its number, `confirm` the name that its client
    gave it where it has to be confirmed (or was rolled back), else empty; `author` is whose commit that
    is."""

    revision: int
    confirm: str
    author: str = ""


Item: TypeAlias = Notice | Synced | Committed
