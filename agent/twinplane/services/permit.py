"""Whether a caller may make a change: path rules against everything that it touches, implicit deletes too."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.role import Access
from twinplane.identity.rule import Rule, may_write
from twinplane.identity.user import User
from twinplane.schema.compile import Schemas
from twinplane.schema.resolve import expand
from twinplane.services.auth import Caller
from twinplane.tree.diff import ObjectChange
from twinplane.tree.touched import touched

MOST = 100  # violations in one refusal

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Permit:
    """What one caller may write; the transactor asks it about each diff (transaction/request.py)."""

    name: str
    rules: tuple[Rule, ...]

    def __call__(self, changes: Sequence[ObjectChange]) -> None:
        """Refuse a change as a whole when any part of it is not allowed.

        Raises:
            RequestError: DENIED, with the paths.
        """
        if all(rule.access is Access.WRITE for rule in self.rules):
            return
        violations: list[Violation] = []
        for change in changes:
            for path in touched(change.before, change.after, change.path):
                if not may_write(self.rules, path):
                    constraint = f"user {self.name} may not write here, and the request would change it"
                    violations.append(Violation(path, Fault.DENIED, constraint))
                    if len(violations) == MOST:
                        raise RequestError(*violations)
        if violations:
            raise RequestError(*violations)


class Permits:
    """Permits of callers, their rules brought to the schema's names and canonical keys."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._resolved = lru_cache(maxsize=256)(self._resolve)

    def of(self, caller: Caller) -> Permit:
        """The permit of one caller."""
        return Permit(caller.name, self._resolved(caller.rules))

    def _resolve(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(one for rule in rules for one in self._expanded(rule))

    def _expanded(self, rule: Rule) -> tuple[Rule, ...]:
        if not rule.path.elems:
            return (rule,)
        try:
            table = self._schemas.table(rule.path.origin)
            return tuple(Rule(found.path, rule.access) for found in expand(table, rule.path))
        except RequestError:
            return ()  # what no schema has cannot be written

    def check(self, users: Mapping[str, User]) -> None:
        """Log a warning for each rule that names what the schema does not have."""
        for user in users.values():
            for rule in user.rules:
                if not self._expanded(rule):
                    log.warning("a rule of user %s names %s, which no model has", user.name, rule.path)
