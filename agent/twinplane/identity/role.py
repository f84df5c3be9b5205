"""What a user may do at all; path rules come on top of it."""

from enum import Enum


class Access(Enum):
    """What an operation needs, or a rule gives; NONE: neither to see nor to change."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


class Role(Enum):
    """The role of a user, as `users.toml` spells it."""

    READ_ONLY = "read-only"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def of_socket(self) -> str:
        """What somebody is called who comes through the socket of this role and says no name."""
        return f"local-{self.value}"

    def allows(self, access: Access) -> bool:
        """True when this role may do operations that need `access`."""
        return access is Access.READ or self is not Role.READ_ONLY

    def lower(self, other: "Role") -> "Role":
        """The weaker of two roles."""
        order = tuple(Role)
        return min(self, other, key=order.index)
