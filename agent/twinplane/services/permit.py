"""Whether a caller may make a change: path rules against everything that it touches, implicit deletes too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.role import Access
from twinplane.identity.rule import Rule, may_write
from twinplane.identity.user import User
from twinplane.schema.compile import Schemas
from twinplane.services.auth import Caller
from twinplane.services.rules import check, resolved
from twinplane.services.view import View, Views
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit
from twinplane.tree.touched import touched
from twinplane_wire.path import Path

MOST = 100  # violations in one refusal


@dataclass(frozen=True, slots=True)
class Permit:
    """What one caller may write; the transactor asks it about each diff (transaction/request.py). A refusal
    names no path that the caller does not see (`view`; None: they see everything)."""

    name: str
    rules: tuple[Rule, ...]
    view: View | None = None

    @property
    def writes(self) -> bool:
        """Whether there is anything that the caller may write."""
        return any(rule.access is Access.WRITE for rule in self.rules)

    def __call__(self, changes: Sequence[ObjectChange]) -> None:
        """Refuse a change as a whole when any part of it is not allowed.

        Raises:
            RequestError: DENIED, with the paths.
        """
        if all(rule.access is Access.WRITE for rule in self.rules):
            return
        found: dict[Path, None] = {}
        for change in changes:
            for path in touched(change.before, change.after, change.path):
                if not may_write(self.rules, path):
                    found[path if self.view is None else self.view.nearest(path)] = None
                    if len(found) == MOST:
                        self._refuse(found)
        if found:
            self._refuse(found)

    def check_seen(self, edits: Iterable[Edit]) -> None:
        """Refuse edits of what the caller does not see, whether they would change something or not: that one
        fails, or does not, would say what is there.

        Raises:
            RequestError: DENIED, with the paths.
        """
        view = self.view
        if view is None:
            return
        text = f"user {self.name} may not write here"
        hidden: dict[Path, None] = {}
        for one in edits:
            named = [one.path] if one.value is None else [*touched(None, one.value, one.path)]
            if one.place is not None and one.place.point is not None:
                named.append(one.place.point)
            for path in named or (one.path,):
                is_key = len(path.elems) > 1 and path.elems[-1].name in dict(path.elems[-2].keys)
                if not is_key and not view.reaches(path):
                    hidden[path] = None
            if len(hidden) >= MOST:
                break
        if hidden:
            raise RequestError(*(Violation(path, Fault.DENIED, text) for path in list(hidden)[:MOST]))

    def _refuse(self, paths: Mapping[Path, None]) -> None:
        constraint = f"user {self.name} may not write here, and the request would change it"
        raise RequestError(*(Violation(path, Fault.DENIED, constraint) for path in paths))


class Permits:
    """Permits of callers, their rules brought to the schema's names and canonical keys."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._resolved = lru_cache(maxsize=256)(partial(resolved, schemas))
        self._views = Views(schemas)

    def of(self, caller: Caller) -> Permit:
        """The permit of one caller."""
        return Permit(caller.name, self._resolved(caller.rules), self._views.of(caller))

    def check(self, users: Mapping[str, User]) -> None:
        """Log a warning for each rule that names what the schema does not have."""
        check(self._schemas, users)
