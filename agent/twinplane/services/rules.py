"""The rules of users brought to the schema's names and canonical keys."""

import logging
from collections.abc import Mapping

from twinplane.errors import RequestError
from twinplane.identity.rule import Rule
from twinplane.identity.user import User
from twinplane.schema.compile import Schemas
from twinplane.schema.resolve import expand

log = logging.getLogger(__name__)


def resolved(schemas: Schemas, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The same rules in terms of the schema, in their order; what no model has is left out."""
    return tuple(one for rule in rules for one in _expanded(schemas, rule))


def check(schemas: Schemas, users: Mapping[str, User]) -> None:
    """Log a warning for each rule that names what the schema does not have."""
    for user in users.values():
        for rule in user.rules:
            if not _expanded(schemas, rule):
                log.warning("a rule of user %s names %s, which no model has", user.name, rule.path)


def _expanded(schemas: Schemas, rule: Rule) -> tuple[Rule, ...]:
    if not rule.path.elems:
        return (rule,)
    try:
        table = schemas.table(rule.path.origin)
        return tuple(Rule(found.path, rule.access) for found in expand(table, rule.path))
    except RequestError:
        return ()  # what no schema has can be neither written nor read
