"""Appliance → libvirt domain XML. Declarations only; what is tuned live (CPU shares, rates) is not in it.

Elements as in libvirt's "Domain XML format". Shapes that matter: direct kernel boot, one PCIe root port per
vNIC index, so that a vNIC keeps its place on the bus whatever others come and go, and spare ports for vNICs
plugged while the guest runs. The seed is the first virtio disk (vda), read-only: the guests' kernels need no
more than virtio and isofs.
"""

import hashlib
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePath
from typing import Any, NamedTuple
from uuid import UUID
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import escape

import orjson

from twinplane.model.appliance import AdminState, Appliance, CpuShare, Vnic
from twinplane.model.host import Accelerator
from twinplane.model.image import Image
from twinplane.model.names import domain_name, domain_uuid, tap_name
from twinplane.plan.appliance import seed
from twinplane.plan.appliance.vnic import guest_mac
from twinplane.plan.context import Context
from twinplane.plan.image.realise import initrd_file, kernel_file

NAMESPACE = "https://twinplane.org/xmlns/domain/1"
SPARE_PORTS = 8
TRANSLATION_CACHE_MIB = 128  # what QEMU may spend on translated code (docs: tb-size); part of the overhead

# What stands for itself in neither text nor attributes; whitespace is kept in attributes only as numbers.
_SPECIAL = re.compile(r"[&<>\"\r\n\t]")
_ENTITIES = {'"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}

# Slots of the root bus. 0x00 is the host bridge and 0x1f the chipset of a Q35 machine.
_FIRST_PORT_SLOT = 0x02
_SEED_SLOT = 0x10
_BALLOON_SLOT = 0x11


class Host(NamedTuple):
    """What a definition holds of the agent and its host."""

    instance: UUID
    accelerator: Accelerator
    state_dir: PurePath


class Definition(NamedTuple):
    """The XML to define, and the digest that its metadata carries."""

    xml: str
    digest: str


def render(appliance: Appliance, image: Image, context: Context) -> Definition:
    """The definition of an appliance's domain.

    The digest (``sha256:<hex>``) covers name, attributes, text and children of every element but the title:
    it does not depend on how XML is written.
    """
    host = Host(context.instance, context.capabilities.accelerator, context.state_dir)
    return _rendered(_defined(appliance), image, host)


@lru_cache(maxsize=64)  # a change that tunes an appliance asks for the same definition before and after
def _rendered(appliance: Appliance, image: Image, host: Host) -> Definition:
    domain = _domain(appliance, image, host)
    mark = domain.find("metadata/*")
    assert mark is not None
    digest = f"sha256:{hashlib.sha256(orjson.dumps(_content(domain))).hexdigest()}"
    mark.set("digest", digest)
    title = Element("title")
    title.text = appliance.name
    domain.insert(2, title)
    lines: list[str] = []
    _write(domain, "", lines)
    return Definition("\n".join(lines) + "\n", digest)


def _defined(appliance: Appliance) -> Appliance:
    """The appliance without what is tuned live or asked of its guest: none of that is in the definition."""
    vnics = tuple([replace(vnic, virtual_switch="", ingress=None, egress=None) for vnic in appliance.vnics])
    return replace(
        appliance, admin_state=AdminState.RUNNING, stop_timeout=0, cpu=CpuShare(None, None), vnics=vnics
    )


def _content(element: Element) -> list[Any]:
    return [element.tag, sorted(element.items()), element.text or "", [_content(child) for child in element]]


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


def _domain(appliance: Appliance, image: Image, host: Host) -> Element:
    kvm = host.accelerator is Accelerator.KVM
    uuid = domain_uuid(host.instance, appliance.path)
    domain = Element("domain", {"xmlns:twinplane": NAMESPACE, "type": "kvm" if kvm else "qemu"})
    _text(domain, "name", domain_name(host.instance, appliance.path))
    _text(domain, "uuid", str(uuid))
    SubElement(
        SubElement(domain, "metadata"),
        "twinplane:appliance",
        {
            "instance": str(host.instance),
            "path": str(appliance.path),
            "image-digest": image.kernel.digest,
            "seed-digest": seed.digest(appliance.files),
        },
    )
    _text(domain, "memory", str(appliance.memory), unit="b")
    _text(domain, "vcpu", str(appliance.vcpus), placement="static")
    _boot(domain, image, host)
    _features(domain, kvm)
    if kvm:
        SubElement(domain, "cpu", mode="host-passthrough")
    SubElement(domain, "clock", offset="utc")
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    devices = SubElement(domain, "devices")
    _ports(devices, appliance.vnics)
    _seed_disk(devices, _path(host, seed.seed_file(uuid)))
    for vnic in appliance.vnics:
        _interface(devices, appliance, vnic, host)
    _console(devices, _path(host, seed.console_file(uuid)))
    balloon = SubElement(devices, "memballoon", model="virtio")
    _address(balloon, 0, _BALLOON_SLOT)
    SubElement(devices, "panic", model="isa")
    return domain


def _boot(domain: Element, image: Image, host: Host) -> None:
    boot = SubElement(domain, "os")
    _text(boot, "type", "hvm", arch="x86_64", machine="q35")
    _text(boot, "kernel", _path(host, kernel_file(image)))
    initrd = initrd_file(image)
    if initrd is not None:
        _text(boot, "initrd", _path(host, initrd))
    if image.command_line:
        _text(boot, "cmdline", image.command_line)


def _features(domain: Element, kvm: bool) -> None:
    features = SubElement(domain, "features")
    SubElement(features, "acpi")
    SubElement(features, "apic")
    if not kvm:
        _text(SubElement(features, "tcg"), "tb-cache", str(TRANSLATION_CACHE_MIB), unit="MiB")


def _ports(devices: Element, vnics: tuple[Vnic, ...]) -> None:
    SubElement(devices, "controller", type="usb", model="none")
    SubElement(devices, "controller", type="pci", index="0", model="pcie-root")
    count = max((vnic.index + 1 for vnic in vnics), default=0) + SPARE_PORTS
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


def _interface(devices: Element, appliance: Appliance, vnic: Vnic, host: Host) -> None:
    path = appliance.vnic_path(vnic.name)
    interface = SubElement(devices, "interface", type="ethernet")
    SubElement(interface, "mac", address=guest_mac(host.instance, path, vnic))
    SubElement(interface, "target", dev=tap_name(host.instance, path), managed="no")
    SubElement(interface, "model", type="virtio")
    SubElement(interface, "mtu", size=str(vnic.mtu))
    SubElement(interface, "rom", enabled="no")  # nothing boots from the network: no firmware to run for it
    _address(interface, vnic.index + 1, 0)


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


def _path(host: Host, file: str) -> str:
    return str(host.state_dir / file)


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text
