"""Extensions of requests (gNMI 2.8): unknown ones are ignored, those that must not be ignored are refused."""

from collections.abc import Iterable

from twinplane.errors import Fault, RequestError, Violation
from twinplane_wire.gnmi import gnmi_ext_pb2
from twinplane_wire.path import ROOT

# Silence would give wrong data (history) or lose a safety net (commit).
NOT_OFFERED = ("history", "commit")
# Allowed with reads only (depth specification, section 3).
READS_ONLY = ("depth",)


def check(extensions: Iterable[gnmi_ext_pb2.Extension], *, reads: bool) -> None:
    """Refuse extensions that cannot be ignored; `reads` is True for Get and Subscribe.

    Raises:
        RequestError: NOT_SERVED for those this target does not offer, SYNTAX for those of another RPC.
    """
    for extension in extensions:
        name = extension.WhichOneof("ext")
        if name in NOT_OFFERED:
            raise RequestError(Violation(ROOT, Fault.NOT_SERVED, f"extension {name} is not offered"))
        if name in READS_ONLY and not reads:
            raise RequestError(
                Violation(ROOT, Fault.SYNTAX, f"extension {name} does not belong to this call")
            )
