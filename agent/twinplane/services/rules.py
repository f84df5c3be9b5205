"""The rules of users brought to the schema's names and canonical keys."""

import logging
from collections.abc import Mapping

from twinplane.errors import RequestError
from twinplane.identity.rule import EVERY_ORIGIN, Rule
from twinplane.identity.user import User
from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.schema.resolve import expand
from twinplane_wire.path import Path

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
        return (Rule(Path((), "" if rule.path.origin == DEFAULT_ORIGIN else rule.path.origin), rule.access),)
    found: list[Rule] = []
    for origin in schemas.tables if rule.path.origin == EVERY_ORIGIN else (rule.path.origin,):
        where = Path(rule.path.elems, "" if origin == DEFAULT_ORIGIN else origin)
        try:
            expanded = expand(schemas.table(origin), where)
        except RequestError:
            continue  # what no schema has can be neither written nor read
        found += [Rule(one.path, rule.access) for one in expanded]
    return tuple(found)
