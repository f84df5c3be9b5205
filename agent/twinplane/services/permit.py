"""Whether a caller may make a change: path rules against everything that it touches, implicit deletes too."""

from collections.abc import Mapping, Sequence
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
