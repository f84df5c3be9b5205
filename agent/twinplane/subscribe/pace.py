"""Leaves that no event announces: which they are below a path, and changes without them.

TARGET_DEFINED samples these and sends all others when they change (gNMI 3.5.1.5.2).
"""

from collections.abc import Iterator
from functools import lru_cache

from twinplane.state.operational import POLLED
from twinplane_wire.path import Elem, Path

Names = tuple[str, ...]

_LEAVES = frozenset(POLLED)


def sampled(path: Path) -> tuple[Path, ...]:
    """Paths that together select what is polled at or below a path, which may hold wildcards."""
    found = (elems for names in POLLED for elems in _meet(path.elems, names))
    return tuple(dict.fromkeys(Path(elems, path.origin) for elems in found))


@lru_cache(maxsize=4096)
def announced(container: Names, leaves: Names) -> tuple[int, ...]:
    """The positions of those leaves of a container (by schema path) that events announce."""
    if any(container[: len(names)] == names for names in POLLED):
        return ()
    return tuple(index for index, name in enumerate(leaves) if (*container, name) not in _LEAVES)


def _meet(pattern: tuple[Elem, ...], names: Names) -> Iterator[tuple[Elem, ...]]:
    """Patterns of what both a pattern and a schema path cover."""
    if not pattern:
        yield tuple(Elem(name) for name in names)
    elif not names:
        yield pattern
    else:
        head = pattern[0]
        if head.name == "...":
            yield from _meet(pattern[1:], names)
            for rest in _meet(pattern, names[1:]):
                yield (Elem(names[0]), *rest)
        elif head.name in (names[0], "*"):
            for rest in _meet(pattern[1:], names[1:]):
                yield (Elem(names[0], head.keys), *rest)
