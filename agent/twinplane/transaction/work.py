"""What one transaction is about: the configuration it leads to, and the steps that make it so."""

from dataclasses import dataclass, field

from twinplane.plan.resource import Key
from twinplane.plan.step import Phase, Step
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.request import Act, Confirm, Request
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import Forest

# With these phases something is left to do after the commit: then the journal row stays for a while.
UNFINISHED = frozenset({Phase.ASIDE, Phase.FINAL})


@dataclass(frozen=True, slots=True)
class Work:
    """`changes` are the objects that differ, `before` and `after` what realises them (and what depends on
    them), `steps` lead from one to the other. `reverts` names the confirmed commit that is rolled back, and
    `owner` whose it was. `believed` is what the configuration in force left of the objects: `before`, unless
    the host differed. `mends` are the keys of what earlier changes left over and `before` shows as it is."""

    request: Request
    forest: Forest
    changes: tuple[ObjectChange, ...]
    before: Resources
    after: Resources
    steps: tuple[Step, ...]
    reverts: str = ""
    believed: Resources = field(default_factory=dict)
    mends: frozenset[Key] = frozenset()
    owner: str = ""

    @property
    def reversible(self) -> tuple[Step, ...]:
        """The steps before the commit point, which can be undone."""
        return tuple(step for step in self.steps if step.phase < Phase.FINAL)

    @property
    def final(self) -> tuple[Step, ...]:
        """The steps after the commit point."""
        return tuple(step for step in self.steps if step.phase is Phase.FINAL)

    @property
    def unfinished(self) -> bool:
        """Whether the commit leaves something to do."""
        return self.opens is not None or any(step.phase in UNFINISHED for step in self.steps)

    @property
    def opens(self) -> Confirm | None:
        """What makes it a commit that waits for its confirmation, if it is one."""
        asked = self.request.confirm
        return asked if asked is not None and asked.act is Act.COMMIT else None

    @property
    def confirms_for(self) -> str:
        """Whose confirmed commit it is, or rolls back."""
        return self.owner or self.request.author

    @property
    def confirm(self) -> str:
        """The name of the confirmed commit that it is, or takes back; else empty."""
        return self.reverts or ("" if self.opens is None else self.opens.name)
