"""The product of translators and derivations: leaves of one container."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twinplane.tree.node import Leaf
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """The leaf `leaf` holds the time at which the leaf `watched` of the same section took its value.

    `witness` is what is recognised by a later process of the agent: if it is the same (None: unknown), the
    value is still the one that the earlier process saw begin."""

    leaf: str
    watched: str
    witness: tuple[Leaf | None, ...] = ()


class Memory(Protocol):
    """What outlives the agent (last_change.py)."""

    def since(self, place: Path, value: Leaf, witness: tuple[Leaf | None, ...]) -> int | None:
        """When the container at `place` took this value, where an earlier process knew it."""

    def note(self, place: Path, value: Leaf, witness: tuple[Leaf | None, ...], since: int) -> None:
        """The container at `place` has this value since then."""

    def forget(self, place: Path) -> None:
        """It has none any more."""


class NoMemory:
    """Nothing is remembered."""

    def since(self, place: Path, value: Leaf, witness: tuple[Leaf | None, ...]) -> int | None:
        """Nobody knows."""
        del place, value, witness
        return None

    def note(self, place: Path, value: Leaf, witness: tuple[Leaf | None, ...], since: int) -> None:
        """So what."""

    def forget(self, place: Path) -> None:
        """Done."""


@dataclass(frozen=True, slots=True)
class Section:
    """Leaves by name that one translator gives for the container at `container`.

    Several translators may give leaves of one container if no two give the same. `whole` is for what changes
    all the time (counters): the section is all of its container, lies in the object named, is exchanged
    as a whole and read by no derivation.
    """

    container: Path
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    stamp: Stamp | None = None
    whole: Path | None = None


def present(leaves: Mapping[str, Leaf | None]) -> dict[str, Leaf]:
    """The leaves that have a value: None, the empty text and the empty leaf-list mean absent."""
    return {name: value for name, value in leaves.items() if value is not None and value not in ("", ())}
