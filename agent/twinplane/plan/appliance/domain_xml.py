"""Appliance → libvirt domain XML. Declarations only; what is tuned live (CPU shares, rates) is not in it.

Elements as in libvirt's "Domain XML format". Shapes that matter: direct kernel boot, one PCIe root port per
vNIC index, so that a vNIC keeps its place on the bus whatever others come and go, and spare ports for vNICs
plugged while the guest runs. The seed is the first virtio disk (vda), read-only: the guests' kernels need no
more than virtio and isofs.

The values that a definition is written from are told apart from its text: comparing a thousand of them with
what is there takes their digests, and text is for the few that have to be defined.
"""

import hashlib
import re
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape

import orjson

from twinplane.model.appliance import Appliance
from twinplane.model.host import Accelerator
from twinplane.model.image import Image
from twinplane.model.names import domain_name, domain_uuid, tap_name
from twinplane.plan.appliance import seed
from twinplane.plan.appliance.vnic import guest_mac
from twinplane.plan.context import Context
from twinplane.plan.image.realise import initrd_file, kernel_file

NAMESPACE = "https://twinplane.org/xmlns/domain/1"
FORM = 1  # the number of what is written from given values: another text, another number
SPARE_PORTS = 8
TRANSLATION_CACHE_MIB = 128  # what QEMU may spend on translated code (docs: tb-size); part of the overhead

# What stands for itself in neither text nor attributes; whitespace is kept in attributes only as numbers.
_SPECIAL = re.compile(r"[&<>\"\r\n\t]")
_ENTITIES = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}

# Slots of the root bus. 0x00 is the host bridge and 0x1f the chipset of a Q35 machine.
_FIRST_PORT_SLOT = 0x02
_SEED_SLOT = 0x10
_BALLOON_SLOT = 0x11


class Interface(NamedTuple):
    """A vNIC as its guest sees it, and the tap at the other end."""

    mac: str
    tap: str
    mtu: int
    place: int  # on the bus, by the index in the model


class Definition(NamedTuple):
    """All that the definition of a domain is written from, its title apart; files by their full path."""

    name: str
    uuid: str
    instance: str
    path: str
    kvm: bool
    memory: int
    vcpus: int
    kernel: str
    initrd: str | None
    command_line: str
    image_digest: str
    seed_digest: str
    seed: str
    console: str
    interfaces: tuple[Interface, ...]

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` over every value and the form of the text."""
        return f"sha256:{hashlib.sha256(orjson.dumps((FORM, *self), default=tuple)).hexdigest()}"


def definition(appliance: Appliance, image: Image, context: Context) -> Definition:
    """What an appliance's domain is defined with."""
    instance, path, state = context.instance, appliance.path, context.state_dir
    uuid = domain_uuid(instance, path)
    initrd = initrd_file(image)
    interfaces: list[Interface] = []
    for vnic in appliance.vnics:
        there = appliance.vnic_path(vnic.name)
        mac = guest_mac(instance, there, vnic)
        interfaces.append(Interface(mac, tap_name(instance, there), vnic.mtu, vnic.index))
    return Definition(
        name=domain_name(instance, path),
        uuid=str(uuid),
        instance=str(instance),
        path=str(path),
        kvm=context.capabilities.accelerator is Accelerator.KVM,
        memory=appliance.memory,
        vcpus=appliance.vcpus,
        kernel=f"{state}/{kernel_file(image)}",
        initrd=None if initrd is None else f"{state}/{initrd}",
        command_line=image.command_line,
        image_digest=image.kernel.digest,
        seed_digest=seed.digest(appliance.files),
        seed=f"{state}/{seed.seed_file(uuid)}",
        console=f"{state}/{seed.console_file(uuid)}",
        interfaces=tuple(interfaces),
    )


def write(what: Definition, title: str, label: str = "") -> str:
    """The XML of a definition, with its digest in the metadata. `label` (``+uid:+gid``) is whom the guest
    runs as, where that is not the user of all; it is the host's affair, so that no digest depends on it."""
    lines: list[str] = []
    _write(_domain(what, title, label), "", lines)
    return "\n".join(lines) + "\n"


def _write(element: Element, margin: str, lines: list[str]) -> None:
    """The element as indented lines; the standard library needs twice as long for the same."""
    attributes = "".join([f' {name}="{_escaped(value)}"' for name, value in element.items()])
    start = f"{margin}<{element.tag}{attributes}"
    if len(element):
        lines.append(f"{start}>")
        for child in element:
            _write(child, f"{margin}  ", lines)
        lines.append(f"{margin}</{element.tag}>")
    elif element.text:
        lines.append(f"{start}>{_escaped(element.text)}</{element.tag}>")
    else:
        lines.append(f"{start} />")


def _escaped(text: str) -> str:
    return escape(text, _ENTITIES) if _SPECIAL.search(text) else text


def _domain(what: Definition, title: str, label: str) -> Element:
    domain = Element("domain", {"xmlns:twinplane": NAMESPACE, "type": "kvm" if what.kvm else "qemu"})
    _text(domain, "name", what.name)
    _text(domain, "uuid", what.uuid)
    _text(domain, "title", title)
    SubElement(
        SubElement(domain, "metadata"),
        "twinplane:appliance",
        {
            "instance": what.instance,
            "path": what.path,
            "image-digest": what.image_digest,
            "seed-digest": what.seed_digest,
            "digest": what.digest,
        },
    )
    _text(domain, "memory", str(what.memory), unit="b")
    _text(domain, "vcpu", str(what.vcpus), placement="static")
    _boot(domain, what)
    _features(domain, what.kvm)
    if what.kvm:
        SubElement(domain, "cpu", mode="host-passthrough")
    SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    devices = SubElement(domain, "devices")
    _ports(devices, what.interfaces)
    _seed_disk(devices, what.seed)
    for interface in what.interfaces:
        _interface(devices, interface)
    _console(devices, what.console)
    balloon = SubElement(devices, "memballoon", model="virtio")
    _address(balloon, 0, _BALLOON_SLOT)
    SubElement(devices, "panic", model="isa")
    if label:
        _text(SubElement(domain, "seclabel", type="static", model="dac", relabel="no"), "label", label)
    return domain


def _boot(domain: Element, what: Definition) -> None:
    boot = SubElement(domain, "os")
    _text(boot, "type", "hvm", arch="x86_64", machine="q35")
    _text(boot, "kernel", what.kernel)
    if what.initrd is not None:
        _text(boot, "initrd", what.initrd)
    if what.command_line:
        _text(boot, "cmdline", what.command_line)


def _features(domain: Element, kvm: bool) -> None:
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if not kvm:
        _text(SubElement(features, "tcg"), "tb-cache", str(TRANSLATION_CACHE_MIB), unit="MiB")


def _ports(devices: Element, interfaces: tuple[Interface, ...]) -> None:
    SubElement(devices, "controller", type="usb", model="none")
    SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    count = max((interface.place + 1 for interface in interfaces), default=0) + SPARE_PORTS
    for number in range(count):
        slot, function = divmod(number, 8)
        port = SubElement(devices, "controller", type="pci", index=str(number + 1), model="pcie-root-port")
        SubElement(port, "target", chassis=str(number + 1), port=f"0x{number:x}")
        address = _address(port, 0, _FIRST_PORT_SLOT + slot, function)
        if function == 0:
            address.set("multifunction", "on")


def _seed_disk(devices: Element, file: str) -> None:
    disk = SubElement(devices, "disk", type="file", device="disk")
    SubElement(disk, "driver", name="qemu", type="raw")
    SubElement(disk, "source", file=file)
    SubElement(disk, "target", dev="vda", bus="virtio")
    SubElement(disk, "readonly")
    _address(disk, 0, _SEED_SLOT)


def _interface(devices: Element, vnic: Interface) -> None:
    interface = SubElement(devices, "interface", type="ethernet")
    SubElement(interface, "mac", address=vnic.mac)
    SubElement(interface, "target", dev=vnic.tap, managed="no")
    SubElement(interface, "model", type="virtio")
    SubElement(interface, "mtu", size=str(vnic.mtu))
    SubElement(interface, "rom", enabled="no")  # nothing boots from the network: no firmware to run for it
    _address(interface, vnic.place + 1, 0)


def _console(devices: Element, log: str) -> None:
    serial = SubElement(devices, "serial", type="pty")
    SubElement(serial, "log", file=log, append="off")
    SubElement(serial, "target", type="isa-serial", port="0")


def _address(device: Element, bus: int, slot: int, function: int = 0) -> Element:
    return SubElement(
        device,
        "address",
        type="pci",
        domain="0x0000",
        bus=f"0x{bus:02x}",
        slot=f"0x{slot:02x}",
        function=f"0x{function:x}",
    )


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text
