"""One resource of the host as an account: what there is, what is kept back, what is promised already."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Unit:
    """What a resource is counted in, and how many of it are one of the `greater` unit that people read."""

    name: str
    size: int = 1
    greater: str = ""

    def exact(self, amount: int) -> str:
        """The amount to the last digit."""
        rough = f" ({self.rough(amount)})" if self.greater else ""
        return f"{amount} {self.name}{rough}"

    def rough(self, amount: int) -> str:
        """The amount as people read it, rounded down."""
        return f"{amount // self.size} {self.greater or self.name}"


MILLICORES = Unit("millicores")
BYTES = Unit("bytes", 1 << 20, "MiB")


@dataclass(frozen=True, slots=True)
class Account:
    """`capacity` of the host, `reserve` kept for the host itself, `committed` to appliances; one unit."""

    capacity: int
    reserve: int
    committed: int

    @property
    def free(self) -> int:
        """What can still be promised; negative where the host shrank below what is promised."""
        return self.capacity - self.reserve - self.committed

    def charge(self, amount: int) -> "Account":
        """The account after `amount` more was promised."""
        return replace(self, committed=self.committed + amount)


def shortfall(account: Account, asked: int, overhead: int, unit: Unit) -> str | None:
    """Why `asked` plus what it costs on top does not fit, and the most that would; None where it fits. What
    has to be written down again is told exactly, all else as people read it."""
    if asked + overhead <= account.free:
        return None
    more = f" + {unit.rough(overhead)} overhead" if overhead else ""
    return (
        f"{unit.exact(asked)}{more} do not fit; "
        f"free {unit.rough(max(account.free, 0))} of {unit.rough(account.capacity)} "
        f"(reserve {unit.rough(account.reserve)}, committed {unit.rough(account.committed)}); "
        f"at most {unit.exact(max(account.free - overhead, 0))}"
    )
