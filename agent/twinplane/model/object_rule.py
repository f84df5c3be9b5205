"""Rules that look at one object only: what YANG cannot say of it, and limits of the kernel and of QEMU."""

from collections.abc import Callable, Iterator

from twinplane.errors import Fault, Violation
from twinplane.model.appliance import Appliance
from twinplane.model.entry import optional_text
from twinplane.model.image import Image
from twinplane.model.index import View
from twinplane.model.names import LONGEST_DEVICE_NAME
from twinplane.model.port import HostPort
from twinplane.model.seed import target_flaw
from twinplane.model.switch import VirtualSwitch
from twinplane.share.network import MOST_RATE, kernel_rate, most_burst

MOST_CONTENT = 1 << 20
MOST_VCPUS = 255  # of a Q35 machine that does not remap interrupts: its local APICs have numbers of 8 bits
VIRTUAL_MACHINE = "twinplane-types:VIRTUAL_MACHINE"
RESERVED_NAME = "switch"  # rows of switches in /interfaces are named switch:<name>


def kind_is_known(view: View) -> Iterator[Violation]:
    """Only kinds of appliance and formats of image that something realises."""
    if isinstance(view.model, Appliance):
        kind = optional_text(view.entry, "config", "type")
        if kind != VIRTUAL_MACHINE:
            yield _violation(view, Fault.CAPABILITY, f"only {VIRTUAL_MACHINE} is supported", "config", "type")
    if isinstance(view.model, Image) and optional_text(view.entry, "config", "format") != "KERNEL":
        yield _violation(view, Fault.CAPABILITY, "only KERNEL is supported", "config", "format")


def appliance_name_is_free(view: View) -> Iterator[Violation]:
    """No appliance has the name under which switches appear in /interfaces."""
    if isinstance(view.model, Appliance) and view.model.name == RESERVED_NAME:
        constraint = f"the name {RESERVED_NAME} is reserved for the interface rows of virtual switches"
        yield _violation(view, Fault.VALUE, constraint, "config", "name")


def device_name_fits(view: View) -> Iterator[Violation]:
    """A host port's name is one that a device can have: the kernel counts its bytes, YANG characters."""
    if isinstance(view.model, HostPort):
        named = {view.model.name: view.path.child("config").child("name")}
    elif isinstance(view.model, VirtualSwitch):
        named = {
            port: view.model.port_path(port).child("config").child("interface") for port in view.model.ports
        }
    else:
        return
    for name, leaf in named.items():
        size = len(name.encode())
        if ":" not in name and size > LONGEST_DEVICE_NAME:
            constraint = f"{size} bytes in UTF-8, a device's name has at most {LONGEST_DEVICE_NAME}"
            yield Violation(leaf, Fault.VALUE, constraint)


def vcpus_fit_the_machine(view: View) -> Iterator[Violation]:
    """The virtual machine has room for the processors."""
    if isinstance(view.model, Appliance) and view.model.vcpus > MOST_VCPUS:
        yield _violation(
            view, Fault.VALUE, f"a virtual machine has at most {MOST_VCPUS}", "compute", "config", "vcpus"
        )


def seed_can_be_made(view: View) -> Iterator[Violation]:
    """Day-0 files have places on the medium that do not collide, and a size that is bounded in bytes."""
    appliance = view.model
    if not isinstance(appliance, Appliance):
        return
    targets = frozenset(file.target for file in appliance.files)
    for file in appliance.files:
        path = appliance.path.child("bootstrap").child("files").child("file", ("target", file.target))
        flaw = target_flaw(file.target, targets)
        if flaw:
            yield Violation(path.child("config").child("target"), Fault.VALUE, flaw)
        size = len(file.content.encode())
        if size > MOST_CONTENT:
            constraint = f"{size} bytes in UTF-8, at most {MOST_CONTENT}"
            yield Violation(path.child("config").child("content"), Fault.VALUE, constraint)


def rate_is_held(view: View) -> Iterator[Violation]:
    """The kernel can hold rate and burst (it counts the time that a burst takes to send), and what it then
    says of the burst is a number that its leaf can show."""
    appliance = view.model
    if not isinstance(appliance, Appliance):
        return
    for vnic in appliance.vnics:
        for direction, share in (("ingress", vnic.ingress), ("egress", vnic.egress)):
            if share is None:
                continue
            config = appliance.vnic_path(vnic.name).child("share").child(direction).child("config")
            most = most_burst(kernel_rate(share.limit))
            if share.limit > MOST_RATE:
                constraint = f"at most {MOST_RATE} bits per second can be shaped"
                yield Violation(config.child("limit"), Fault.VALUE, constraint, "leave it out for no limit")
            elif share.burst is not None and share.burst > most:
                constraint = f"at this limit the kernel holds at most {most} bytes"
                yield Violation(config.child("burst"), Fault.VALUE, constraint)


def image_files_are_named(view: View) -> Iterator[Violation]:
    """Image files lie below the image directory and have a digest to be verified by."""
    if not isinstance(view.model, Image):
        return
    for role, file in (("kernel", view.model.kernel), ("initrd", view.model.initrd)):
        if file is None:
            continue
        if file.source.startswith("/") or ".." in file.source.split("/") or "\0" in file.source:
            constraint = "a path below the image directory: relative, without '..'"
            yield _violation(view, Fault.VALUE, constraint, "config", f"{role}-source")
        if not file.digest:
            constraint = f"{role}-source needs {role}-digest: no file is used unverified"
            yield _violation(view, Fault.CONSTRAINT, constraint, "config", f"{role}-digest")


OBJECT_RULES: tuple[Callable[[View], Iterator[Violation]], ...] = (
    kind_is_known,
    appliance_name_is_free,
    device_name_fits,
    vcpus_fit_the_machine,
    seed_can_be_made,
    rate_is_held,
    image_files_are_named,
)


def _violation(view: View, fault: Fault, constraint: str, *leaf: str) -> Violation:
    path = view.path
    for name in leaf:
        path = path.child(name)
    return Violation(path, fault, constraint)
