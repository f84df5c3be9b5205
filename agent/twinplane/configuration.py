"""What configuration trees mean: the schema, the models, the rules and the planners behind one pure face.

The transactor asks it (transaction/collaborator.py: Model); so does the command `plan`. It keeps the index of
the tree it was last asked about, so that the cost of an answer follows the change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from uuid import UUID

from twinplane.model import index, rules
from twinplane.model.appliance import Appliance
from twinplane.model.host import Capabilities
from twinplane.model.image import Image, image_path
from twinplane.model.index import Index, Touched
from twinplane.plan import plan
from twinplane.plan.context import Context
from twinplane.plan.resource import Key, Resource
from twinplane.schema.compile import Schemas
from twinplane.schema.defaults import with_defaults
from twinplane.schema.validate import Validator
from twinplane.tree import edit
from twinplane.tree.diff import ObjectChange, diff
from twinplane.tree.edit import Edit
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane_wire.path import Path


@dataclass(slots=True)
class Configuration:
    """Trees of the default origin, judged and planned for one host."""

    schemas: Schemas
    validator: Validator
    instance: UUID
    capabilities: Capabilities
    state_dir: PurePath
    host: rules.Host
    _indexes: list[tuple[Container, Index]] = field(default_factory=list)

    def apply(self, running: Container, edits: Sequence[Edit]) -> Container:
        """The candidate; raises RequestError."""
        return edit.apply(running, edits)

    def judge(self, before: Container, after: Container, changes: Sequence[ObjectChange]) -> None:
        """Constraints of the modules, then references and named rules, then admission; each stage only where
        those before found nothing. Raises RequestError with all violations of a stage."""
        self.validator.judge([(change.path, change.after) for change in changes if change.after is not None])
        touched = self._touched(changes)
        known = self._index(before)
        resulting = known.evolve(touched)
        rules.check(touched, resulting, self.host)
        rules.admit(touched, known, self.capabilities)
        self._remember(after, resulting)

    def resources(
        self, before: Container, after: Container, changes: Sequence[ObjectChange]
    ) -> tuple[Mapping[Key, Resource], Mapping[Key, Resource]]:
        """What realises the touched objects, and the appliances whose image was touched, before and after."""
        affected = {change.path for change in changes}
        old, new = self._index(before), self._index(after)
        for change in changes:
            was, now = old.models.get(change.path), new.models.get(change.path)
            if isinstance(was, Image) and isinstance(now, Image) and was != now:
                affected |= {Path(leaf.elems[:2]) for leaf in new.referrers.get(change.path, ())}
        return self._realise(old, affected), self._realise(new, affected)

    def everything(self, root: Container) -> Mapping[Key, Resource]:
        """What realises the whole tree."""
        known = self._index(root)
        return self._realise(known, known.models.keys())

    def _touched(self, changes: Sequence[ObjectChange]) -> tuple[Touched, ...]:
        return index.touched(changes, partial(completed, self.schemas))

    def _index(self, root: Container) -> Index:
        for known, found in self._indexes:
            if known is root:
                self._remember(root, found)
                return found
        empty = Index(self.instance, self.schemas.default.leafrefs)
        made = empty.evolve(self._touched(diff(EMPTY_ROOT, root).objects))
        self._remember(root, made)
        return made

    def _remember(self, root: Container, made: Index) -> None:
        # Two are enough: the tree in force, and the candidate, which may become it.
        self._indexes = [*[pair for pair in self._indexes if pair[0] is not root][-1:], (root, made)]

    def _realise(self, known: Index, affected: Iterable[Path]) -> Mapping[Key, Resource]:
        models = [model for path in affected if (model := known.models.get(path)) is not None]
        names = {model.image for model in models if isinstance(model, Appliance)}
        found = (known.models.get(image_path(name)) for name in names)
        images = {image.name: image for image in found if isinstance(image, Image)}
        return plan.resources(models, Context(self.instance, self.capabilities, images, self.state_dir))


def completed(schemas: Schemas, path: Path, entry: Container) -> Container:
    """An object with the defaults in use."""
    return with_defaults(schemas.table(path.origin), path, entry)
