"""One resource of the host as an account: what there is, what is kept back, what is promised already."""

from dataclasses import dataclass, replace


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


def shortfall(account: Account, asked: int, overhead: int = 0) -> str | None:
    """Why `asked` plus what it costs on top does not fit, and the most that would; None where it fits."""
    if asked + overhead <= account.free:
        return None
    request = f"{asked} + {overhead} overhead do not fit" if overhead else f"{asked} do not fit"
    return (
        f"{request}; free {max(account.free, 0)} of {account.capacity} "
        f"(reserve {account.reserve}, committed {account.committed}); "
        f"at most {max(account.free - overhead, 0)}"
    )
