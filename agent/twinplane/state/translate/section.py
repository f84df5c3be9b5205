"""The product of translators and derivations: leaves of one container."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinplane.tree.node import Leaf
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """The leaf `leaf` holds the time at which the leaf `watched` of the same section took its value."""

    leaf: str
    watched: str


@dataclass(frozen=True, slots=True)
class Section:
    """Leaves by name that one translator gives for the container at `container`.

    Several translators may give leaves of one container if no two give the same. With `whole` the section is
    all of the container, which makes it cheap to exchange (counters).
    """

    container: Path
    leaves: Mapping[str, Leaf] = field(default_factory=dict)
    stamp: Stamp | None = None
    whole: bool = False


def present(leaves: Mapping[str, Leaf | None]) -> dict[str, Leaf]:
    """The leaves that have a value: None, the empty text and the empty leaf-list mean absent."""
    return {name: value for name, value in leaves.items() if value is not None and value not in ("", ())}
