"""What configuration trees mean: the schema, the models, the rules and the planners behind one pure face.

The transactor asks it (transaction/collaborator.py: Model); so does the command `plan`. It keeps the index of
the tree it was last asked about, so that the cost of an answer follows the change.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from uuid import UUID

from twinplane.errors import MOST_VIOLATIONS, RequestError, Violation
from twinplane.model import index, rules
from twinplane.model.account import RESOURCES
from twinplane.model.appliance import Appliance
from twinplane.model.host import Capabilities
from twinplane.model.image import Image, image_path
from twinplane.model.index import Index, Touched
from twinplane.plan import plan
from twinplane.plan.context import Context
from twinplane.plan.resource import Key, Resource
from twinplane.schema import defaults
from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.schema.defaults import with_defaults
from twinplane.schema.validate import Validator
from twinplane.share.ledger import Account
from twinplane.tree import edit
from twinplane.tree.diff import ObjectChange, diff
from twinplane.tree.difference import difference
from twinplane.tree.edit import Edit
from twinplane.tree.forest import Forest
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane_wire.path import Path


@dataclass(slots=True)
class Configuration:
    """Trees of all origins, judged and planned for one host; only the default origin has what is planned.

    `union_leaf_lists` says what an update of a leaf-list does: add what is missing, or overwrite.
    """

    schemas: Schemas
    validator: Validator
    instance: UUID
    capabilities: Capabilities
    state_dir: PurePath
    host: rules.Host
    union_leaf_lists: bool = True
    _indexes: dict[str, list[tuple[Container, Index]]] = field(default_factory=dict)

    def apply(self, running: Forest, edits: Sequence[Edit]) -> Forest:
        """The candidate; raises RequestError."""
        trees = dict(running.trees)
        for origin in dict.fromkeys(one.path.origin for one in edits):
            table = self.schemas.table(origin)
            trees[origin] = edit.apply(
                running.tree(origin),
                [one for one in edits if one.path.origin == origin],
                union_leaf_lists=self.union_leaf_lists,
                presence=table.presence,
                ordered=table.ordered,
            )
        return Forest(trees, running.annotation)

    def difference(self, before: Forest, after: Forest) -> tuple[Edit, ...]:
        """The edits that make one configuration of another (tree/difference.py)."""
        return tuple(
            one
            for origin in dict.fromkeys((*before.trees, *after.trees))
            for one in difference(
                before.tree(origin), after.tree(origin), self.schemas.table(origin).presence, origin
            )
        )

    def judge(
        self, before: Forest, after: Forest, changes: Sequence[ObjectChange], *, revocable: bool = False
    ) -> None:
        """Constraints of the modules, then references and named rules of the objects that keep those, then,
        where nothing was found, admission. With `revocable` what is given up still counts as taken.

        Raises:
            RequestError: the violations of all origins, those of the constraints first.
        """
        violations: list[Violation] = []
        try:
            self.validator.judge(
                [(change.path, change.after) for change in changes if change.after is not None]
            )
        except RequestError as error:
            violations += error.violations
            if len(violations) > MOST_VIOLATIONS:
                raise  # not every object was looked at
        unread = {Path(one.path.elems[:2], one.path.origin) for one in violations}
        touched = {
            origin: self._touched(changes, origin, unread)
            for origin in dict.fromkeys((*before.trees, *after.trees))
        }
        known = {origin: self._index(origin, before.tree(origin)) for origin in touched}
        resulting = {origin: known[origin].evolve(mine) for origin, mine in touched.items()}
        for origin, mine in touched.items():
            try:
                read = [one for one in mine if one.path not in unread]
                rules.check(read, resulting[origin], self.host, self.capabilities)
            except RequestError as error:
                violations += error.violations
        if violations:
            raise RequestError(*violations)
        if "" in touched:
            rules.admit(touched[""], known[""], self.capabilities, revocable=revocable)
        for origin, made in resulting.items():
            self._remember(origin, after.tree(origin), made)

    def resources(
        self, before: Forest, after: Forest, changes: Sequence[ObjectChange]
    ) -> tuple[Mapping[Key, Resource], Mapping[Key, Resource]]:
        """What realises the touched objects, and the appliances whose image was touched, before and after."""
        affected = {change.path for change in changes}
        old, new = self._index("", before.tree()), self._index("", after.tree())
        for change in changes:
            was, now = old.models.get(change.path), new.models.get(change.path)
            if isinstance(was, Image) and isinstance(now, Image) and was != now:
                affected |= {Path(leaf.elems[:2]) for leaf in new.referrers.get(change.path, ())}
        return self._realise(old, affected), self._realise(new, affected)

    def realised(self, forest: Forest, objects: Iterable[Path]) -> Mapping[Key, Resource]:
        """What realises the objects at these paths; nothing, where they are not configured."""
        return self._realise(self._index("", forest.tree()), objects)

    def related(self, forest: Forest, objects: Iterable[Path], among: Iterable[Path]) -> frozenset[Path]:
        """Those among some objects that refer to one of `objects`, or that one of these refers to."""
        others = frozenset(among)
        if not others:
            return frozenset()
        referrers, wanted = self._index("", forest.tree()).referrers, frozenset(objects)

        def referring(path: Path) -> frozenset[Path]:
            return frozenset(Path(leaf.elems[:2]) for leaf in referrers.get(path, ()))

        below = {path for path in others if referring(path) & wanted}
        above = {path for one in wanted for path in referring(one) & others}
        return frozenset(below | above)

    def everything(self, forest: Forest) -> Mapping[Key, Resource]:
        """What realises the whole configuration."""
        known = self._index("", forest.tree())
        return self._realise(known, known.models.keys())

    def capacity(self, forest: Forest) -> Mapping[str, Account]:
        """The accounts of the host, were this its configuration, by name of the resource."""
        known = self._index("", forest.tree())
        return {one.name: known.account(one, self.capabilities) for one in RESOURCES}

    def _touched(
        self, changes: Sequence[ObjectChange], origin: str, unread: Set[Path] = frozenset()
    ) -> tuple[Touched, ...]:
        mine = [change for change in changes if change.path.origin == origin]
        return index.touched(mine, partial(completed, self.schemas), unread)

    def _index(self, origin: str, root: Container) -> Index:
        for known, found in self._indexes.get(origin, ()):
            if known is root:
                self._remember(origin, root, found)
                return found
        empty = Index(self.instance, self.schemas.table(origin).leafrefs)
        made = empty.evolve(self._touched(diff(EMPTY_ROOT, root, origin).objects, origin))
        self._remember(origin, root, made)
        return made

    def _remember(self, origin: str, root: Container, made: Index) -> None:
        # Two are enough: the tree in force, and the candidate, which may become it.
        others = [pair for pair in self._indexes.get(origin, ()) if pair[0] is not root]
        self._indexes[origin] = [*others[-1:], (root, made)]

    def _realise(self, known: Index, affected: Iterable[Path]) -> Mapping[Key, Resource]:
        models = [model for path in affected if (model := known.models.get(path)) is not None]
        names = {model.image for model in models if isinstance(model, Appliance)}
        found = (known.models.get(image_path(name)) for name in names)
        images = {image.name: image for image in found if isinstance(image, Image)}
        return plan.resources(models, Context(self.instance, self.capabilities, images, self.state_dir))


def standing(schemas: Schemas) -> tuple[Path, ...]:
    """The objects of all origins that have defaults in use without being configured."""
    return tuple(
        path
        for origin, table in schemas.tables.items()
        for path in defaults.standing(table, "" if origin == DEFAULT_ORIGIN else origin)
    )


def completed(schemas: Schemas, path: Path, entry: Container) -> Container:
    """An object with the defaults in use."""
    return with_defaults(schemas.table(path.origin), path, entry)
