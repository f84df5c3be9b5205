"""Path rules: where a user may write. The longest path that matches decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twinplane.identity.role import Access, Role
from twinplane_wire.path import ROOT, Elem, Path

EVERY_ORIGIN = "*"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done at a path and below it: WRITE, or READ alone. The path may hold ``*`` for a name or a
    key, leave keys out (all entries), and have the origin ``*`` (all origins)."""

    path: Path
    access: Access


_EVERYTHING = Path((), EVERY_ORIGIN)
_OF_ROLE = {
    Role.READ_ONLY: (Rule(_EVERYTHING, Access.READ),),
    Role.OPERATOR: (Rule(_EVERYTHING, Access.WRITE), Rule(ROOT.child("system"), Access.READ)),
    Role.ADMIN: (Rule(_EVERYTHING, Access.WRITE),),
}


def rules_of(role: Role, own: Iterable[Rule] = ()) -> tuple[Rule, ...]:
    """The rules of a role with a user's own behind them. No rule lets a READ_ONLY user write."""
    return _OF_ROLE[role] if role is Role.READ_ONLY else (*_OF_ROLE[role], *own)


def may_write(rules: Sequence[Rule], path: Path) -> bool:
    """Whether the rules let the node at a concrete path be written. Among rules of equal length that with
    more names and keys spelled out decides, among equals the last one."""
    best, allowed = (-1, -1), False
    for rule in rules:
        if _matches(rule.path, path):
            weight = (len(rule.path.elems), sum(map(_spelled, rule.path.elems)))
            if weight >= best:
                best, allowed = weight, rule.access is Access.WRITE
    return allowed


def _matches(above: Path, path: Path) -> bool:
    if above.origin not in (EVERY_ORIGIN, path.origin) or len(above.elems) > len(path.elems):
        return False
    return all(
        wanted.name in (ANY, elem.name) and all(key in elem.keys or key[1] == ANY for key in wanted.keys)
        for wanted, elem in zip(above.elems, path.elems, strict=False)
    )


def _spelled(elem: Elem) -> int:
    return (elem.name != ANY) + sum(value != ANY for _, value in elem.keys)
