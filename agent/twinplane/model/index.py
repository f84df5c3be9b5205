"""What judging a change needs to know of the rest of the configuration, kept up to date change by change.

An index is immutable; `evolve` costs what changed plus shallow copies of the maps involved.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from twinplane.model.account import RESOURCES, HostResource
from twinplane.model.appliance import Appliance
from twinplane.model.host import Capabilities
from twinplane.model.names import derived_mac
from twinplane.model.reference import Leafrefs, references
from twinplane.model.registry import Model, read
from twinplane.model.switch import VirtualSwitch
from twinplane.share.ledger import Account
from twinplane.tree.diff import ObjectChange
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane_wire.path import Path

Fill = Callable[[Path, Container], Container]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class View:
    """An object: its entry with defaults and, where a planner reads its kind, the typed form."""

    path: Path
    entry: Container
    model: Model | None


@dataclass(frozen=True, slots=True)
class Touched:
    """A touched object before and after (None: absent)."""

    path: Path
    before: View | None
    after: View | None


def touched(
    changes: Iterable[ObjectChange], fill: Fill, unread: Set[Path] = frozenset()
) -> tuple[Touched, ...]:
    """The views of touched objects; `fill` brings in their defaults (schema/defaults.py). Of those in
    `unread`, which are not as their modules want them, all that counts afterwards is that they are there."""

    def after(path: Path, entry: Container | None) -> View | None:
        if entry is not None and path in unread:
            return View(path, EMPTY_ROOT, None)
        return view(path, entry)

    def view(path: Path, entry: Container | None) -> View | None:
        if entry is None:
            return None
        filled = fill(path, entry)
        return View(path, filled, read(path, filled))

    return tuple(
        Touched(change.path, view(change.path, change.before), after(change.path, change.after))
        for change in changes
    )


@dataclass(frozen=True, slots=True)
class Index:
    """`models` holds every object (None where no planner reads it), `macs` the vNICs by MAC address (derived
    ones too), `plugged` the switches by host port, `referrers` the leaves that refer to an object, by its
    path. `promised` is what appliances are promised in all, by name of the resource and in its unit,
    `appliances` their number.
    """

    instance: UUID
    leafrefs: Leafrefs
    models: Mapping[Path, Model | None] = field(default_factory=dict)
    macs: Mapping[str, frozenset[Path]] = field(default_factory=dict)
    plugged: Mapping[str, frozenset[Path]] = field(default_factory=dict)
    referrers: Mapping[Path, frozenset[Path]] = field(default_factory=dict)
    promised: Mapping[str, int] = field(default_factory=dict)
    appliances: int = 0

    def evolve(self, changes: Iterable[Touched]) -> "Index":
        """The index after these objects changed; their `before` must be what this index knows."""
        changes = tuple(changes)
        models = dict(self.models)
        for change in changes:
            models.pop(change.path, None)
            if change.after is not None:
                models[change.path] = change.after.model
        appliances = [
            (_appliance(change.before), _appliance(change.after))
            for change in changes
            if _appliance(change.before) or _appliance(change.after)
        ]
        return replace(
            self,
            models=models,
            macs=_moved(self.macs, changes, self._macs),
            plugged=_moved(self.plugged, changes, _plugged),
            referrers=_moved(self.referrers, changes, self._referrers),
            promised={one.name: self._promised(one, appliances) for one in RESOURCES},
            appliances=self.appliances + sum(bool(after) - bool(before) for before, after in appliances),
        )

    def account(self, resource: HostResource, host: Capabilities) -> Account:
        """The account of a resource, were this the configuration of the host."""
        return resource.account(host, self.promised.get(resource.name, 0), self.appliances)

    def mac(self, vnic: Path, configured: str | None) -> str:
        """The MAC address of a vNIC: as configured, else derived."""
        return configured or derived_mac(self.instance, vnic)

    def _promised(
        self, resource: HostResource, changed: Iterable[tuple[Appliance | None, Appliance | None]]
    ) -> int:
        before = self.promised.get(resource.name, 0)
        return before + sum(_ask(resource, new) - _ask(resource, old) for old, new in changed)

    def _macs(self, view: View) -> Iterable[tuple[str, Path]]:
        if isinstance(view.model, Appliance):
            for vnic in view.model.vnics:
                path = view.model.vnic_path(vnic.name)
                yield self.mac(path, vnic.mac_address), path

    def _referrers(self, view: View) -> Iterable[tuple[Path, Path]]:
        for reference in references(view.path, view.entry, self.leafrefs):
            yield reference.target, reference.leaf


def _ask(resource: HostResource, appliance: Appliance | None) -> int:
    return 0 if appliance is None else resource.promised(appliance)


def _appliance(view: View | None) -> Appliance | None:
    return view.model if view is not None and isinstance(view.model, Appliance) else None


def _plugged(view: View) -> Iterable[tuple[str, Path]]:
    if isinstance(view.model, VirtualSwitch):
        for interface in view.model.ports:
            yield interface, view.path


def _moved(
    held: Mapping[K, frozenset[Path]],
    changes: tuple[Touched, ...],
    pairs: Callable[[View], Iterable[tuple[K, Path]]],
) -> Mapping[K, frozenset[Path]]:
    """The map without what the objects contributed before and with what they contribute now."""
    gone = {pair for change in changes if change.before is not None for pair in pairs(change.before)}
    come = {pair for change in changes if change.after is not None for pair in pairs(change.after)}
    if gone == come:
        return held
    moved = dict(held)
    for key, path in gone - come:
        left = moved.get(key, frozenset()) - {path}
        if left:
            moved[key] = left
        else:
            moved.pop(key, None)
    for key, path in come - gone:
        moved[key] = moved.get(key, frozenset()) | {path}
    return moved
