"""Path rules: what a user may see and change. The longest path that matches decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from twinplane.identity.role import Access, Role
from twinplane_wire.path import ROOT, Elem, Path

EVERY_ORIGIN = "*"
ANY = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done at a path and below it: WRITE (which includes READ), READ alone, or NONE. The path may
    hold ``*`` for a name or a key, leave keys out (all entries), and have the origin ``*`` (all origins)."""

    path: Path
    access: Access


_EVERYTHING = Path((), EVERY_ORIGIN)
_OF_ROLE = {
    Role.READ_ONLY: (Rule(_EVERYTHING, Access.READ),),
    Role.OPERATOR: (Rule(_EVERYTHING, Access.WRITE), Rule(ROOT.child("system"), Access.READ)),
    Role.ADMIN: (Rule(_EVERYTHING, Access.WRITE),),
}


def rules_of(role: Role, own: Iterable[Rule] = ()) -> tuple[Rule, ...]:
    """The rules of a role with a user's own behind them. No rule lets a READ_ONLY user write: one that would
    lets them read."""
    if role is Role.READ_ONLY:
        own = (replace(rule, access=Access.READ) if rule.access is Access.WRITE else rule for rule in own)
    return (*_OF_ROLE[role], *own)


@dataclass(frozen=True, slots=True)
class Standing:
    """What rules say at one place of a tree: the access there, and the rules that reach further down.

    Among rules of equal length that with more names and keys spelled out decides, among equals the last one.
    """

    access: Access
    live: tuple[Rule, ...] = ()
    depth: int = 0

    @classmethod
    def at_root(cls, rules: Sequence[Rule], origin: str) -> "Standing":
        """At the root of an origin."""
        mine = [rule for rule in rules if rule.path.origin in (EVERY_ORIGIN, origin)]
        access = next((rule.access for rule in reversed(mine) if not rule.path.elems), Access.NONE)
        return cls(access, tuple(rule for rule in mine if rule.path.elems))

    @classmethod
    def at(cls, rules: Sequence[Rule], path: Path) -> "Standing":
        """At a concrete path."""
        return cls.at_root(rules, path.origin).down(path)

    def below(self, elem: Elem) -> "Standing":
        """One step further down."""
        if not self.live:
            return self
        met = [rule for rule in self.live if _fits(rule.path.elems[self.depth], elem)]
        depth, access, best = self.depth + 1, self.access, -1
        for rule in met:
            if len(rule.path.elems) == depth:
                spelled = sum(map(_spelled, rule.path.elems))
                if spelled >= best:
                    best, access = spelled, rule.access
        return Standing(access, tuple(rule for rule in met if len(rule.path.elems) > depth), depth)

    def down(self, path: Path) -> "Standing":
        """All the way down a relative path."""
        standing = self
        for elem in path.elems:
            standing = standing.below(elem)
        return standing

    @property
    def reaches(self) -> bool:
        """Whether something can be seen here, or further down."""
        return self.access is not Access.NONE or any(rule.access is not Access.NONE for rule in self.live)


def may_write(rules: Sequence[Rule], path: Path) -> bool:
    """Whether the rules let the node at a concrete path be written."""
    return Standing.at(rules, path).access is Access.WRITE


def _fits(wanted: Elem, elem: Elem) -> bool:
    return wanted.name in (ANY, elem.name) and all(key in elem.keys or key[1] == ANY for key in wanted.keys)


def _spelled(elem: Elem) -> int:
    return (elem.name != ANY) + sum(value != ANY for _, value in elem.keys)
