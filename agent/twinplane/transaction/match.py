"""Is what was read what was wanted? Pure."""

from twinplane.plan.resource import Domain, Link, Plug, Resource, Run
from twinplane.transaction.driver import Found, Ownership
from twinplane.transaction.foreign import mask


def fulfils(found: Found, wanted: Resource | None) -> bool:
    """True when what stands is what was wanted, as far as the agent alone can bring it about."""
    if wanted is None:
        # A managed link is a device of the host: it stays, only its attributes are let go.
        return isinstance(found.resource, Link) or found.ownership is not Ownership.OWN
    if isinstance(wanted, Link | Plug):
        # An absent device is WAITING, not a failure; one that was let go is nobody's or somebody else's.
        if found.resource is None:
            released = isinstance(wanted, Link) or wanted.master is None
            return released or found.ownership is Ownership.ABSENT
        return mask(found.resource, wanted) == wanted
    return found.resource == wanted


def ended(wanted: Resource | None, found: Resource | None) -> bool:
    """True for a guest that was to be active and has stopped, whoever ended it."""
    return (
        isinstance(wanted, Domain)
        and wanted.run is not Run.STOPPED
        and isinstance(found, Domain)
        and found.run is Run.STOPPED
    )


def stopping(wanted: Resource | None, found: Resource | None) -> bool:
    """True for a guest that was asked to stop and has not stopped yet."""
    return (
        isinstance(wanted, Domain)
        and wanted.run is Run.STOPPED
        and isinstance(found, Domain)
        and found.run is not Run.STOPPED
    )
