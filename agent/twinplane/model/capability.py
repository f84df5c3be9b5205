"""What objects need of the host's kernel and hypervisor, judged by what was probed at start."""

from collections.abc import Iterator, Sequence

from twinplane.errors import Fault, Violation
from twinplane.model.appliance import AdminState, Appliance, Vnic
from twinplane.model.host import Accelerator, Capabilities, Capability
from twinplane.model.index import View
from twinplane.model.switch import VirtualSwitch
from twinplane_wire.path import Path

# What shaping needs: towards the appliance a queue on the tap, from it a queue to which all is redirected.
INGRESS = ("htb",)
CPU_CONTROLLER = "cpu-controller"
EGRESS = ("ifb", "htb", "ingress", "u32", "mirred")


def host_can_do_it(view: View, capabilities: Capabilities) -> Iterator[Violation]:
    """The host has what realises the object; a feature that was not probed is not held against it."""
    missing = {feature.name: feature for feature in capabilities.features if not feature.available}
    model = view.model
    if not missing:
        return
    if isinstance(model, VirtualSwitch):
        yield from _lacking(view.path.child("config"), ("bridge",), missing)
    if isinstance(model, Appliance):
        if capabilities.accelerator is Accelerator.KVM:
            yield from _lacking(view.path.child("config").child("type"), ("kvm",), missing)
        if model.admin_state is AdminState.RUNNING:
            # Also where no share is asked for: beside it, those of others would not hold. What runs already
            # goes on, and can be stopped and deleted.
            yield from _lacking(view.path.child("cpu"), (CPU_CONTROLLER,), missing)
        for vnic in model.vnics:
            yield from _vnic(model.vnic_path(vnic.name), vnic, missing)


def _vnic(path: Path, vnic: Vnic, missing: dict[str, Capability]) -> Iterator[Violation]:
    yield from _lacking(path.child("config"), ("tun",), missing)
    for direction, share, needed in (("ingress", vnic.ingress, INGRESS), ("egress", vnic.egress, EGRESS)):
        if share is not None:
            limit = path.child("share").child(direction).child("config").child("limit")
            yield from _lacking(limit, needed, missing)


def _lacking(path: Path, needed: Sequence[str], missing: dict[str, Capability]) -> Iterator[Violation]:
    for name in needed:
        if name in missing:
            reason, _, remedy = missing[name].reason.partition("; remedy: ")
            yield Violation(path, Fault.CAPABILITY, f"this host lacks {name}: {reason}", remedy)
