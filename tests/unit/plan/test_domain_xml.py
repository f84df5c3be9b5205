"""Domain XML: golden definitions, and the properties that adoption and guests rely on.

Each folder of tests/cases/xml holds the configuration of a box with one appliance and its definition; where
the name begins with kvm- the host executes guests in hardware.
"""

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path as File
from xml.etree import ElementTree

import pytest

from twinplane.hypervisor.domain import NAMESPACE, parse_mark
from twinplane.model.appliance import AdminState, Appliance, CpuShare, RateLimit
from twinplane.model.host import Accelerator
from twinplane.model.image import Image
from twinplane.plan.appliance.domain_xml import FORM, Definition, definition, write
from twinplane.plan.context import Context
from unit.plan.boxes import CASES, context, models, tree

XML = CASES / "xml"
# Of the golden texts without their digests, by form.
FORMS = {1: "4d18ddbbda05665960dd985fefcaa0c8977975f0e64f6bb8a2d382c1c27435dc"}


def parts(case: File) -> tuple[Appliance, Image, Context]:
    accelerator = Accelerator.KVM if case.name.startswith("kvm-") else Accelerator.TCG
    found = models(tree((case / "appliance.json").read_bytes()))
    (appliance,) = [model for model in found if isinstance(model, Appliance)]
    host = context(found, accelerator)
    return appliance, host.images[appliance.image], host


FIREWALL = XML / "firewall"


@pytest.mark.parametrize("case", sorted(XML.iterdir()), ids=lambda case: case.name)
def test_definition(case: File) -> None:
    appliance, image, host = parts(case)
    text = write(definition(appliance, image, host), appliance.name)
    golden = case / "domain.xml"
    if os.environ.get("TWINPLANE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_another_text_has_another_number() -> None:
    state = hashlib.sha256()
    for case in sorted(XML.iterdir()):
        state.update(re.sub(' digest="[^"]*"', "", (case / "domain.xml").read_text()).encode())
    assert FORMS[FORM] == state.hexdigest(), "raise FORM, or old guests count as made from the new text"


def changed(**fields: object) -> Definition:
    appliance, image, host = parts(FIREWALL)
    return definition(replace(appliance, **fields), image, host)  # type: ignore[arg-type]


def xml(made: Definition) -> ElementTree.Element:
    return ElementTree.fromstring(write(made, "fw1"))


def test_the_mark_says_whose_it_is_and_what_it_was_made_from() -> None:
    appliance, image, host = parts(FIREWALL)
    made = definition(appliance, image, host)
    element = xml(made).find("metadata/*")
    assert element is not None
    assert element.tag == f"{{{NAMESPACE}}}appliance"
    mark = parse_mark(ElementTree.tostring(element, encoding="unicode"))
    assert mark is not None
    assert (mark.instance, mark.path) == (host.instance, "/appliances/appliance[name=fw1]")
    assert (mark.digest, mark.image_digest) == (made.digest, image.kernel.digest)


def test_what_is_tuned_live_is_not_in_the_definition() -> None:
    appliance, _, _ = parts(FIREWALL)
    first, *rest = appliance.vnics
    live = changed(
        cpu=CpuShare(100, 200),
        admin_state=AdminState.STOPPED,
        stop_timeout=1,
        vnics=(replace(first, virtual_switch="other", ingress=RateLimit(64_000, None), egress=None), *rest),
    )
    assert live == definition(*parts(FIREWALL))


def test_what_the_guest_is_made_of_changes_the_digest() -> None:
    appliance, image, host = parts(FIREWALL)
    first, *rest = appliance.vnics
    same = definition(appliance, image, host).digest
    assert changed(vcpus=2).digest != same
    assert changed(memory=64 << 20).digest != same
    assert changed(files=()).digest != same
    assert changed(vnics=(replace(first, mtu=1400), *rest)).digest != same
    assert changed(vnics=(replace(first, mac_address="02:00:00:00:00:01"), *rest)).digest != same
    assert changed(vnics=(replace(first, index=5), *rest)).digest != same
    assert definition(appliance, replace(image, command_line="x"), host).digest != same


def test_a_vnic_keeps_its_place_whatever_others_come_and_go() -> None:
    appliance, _, _ = parts(FIREWALL)
    *_, last = appliance.vnics

    def place(made: Definition) -> tuple[str | None, str | None, str | None, str | None]:
        root = xml(made)
        for interface in root.iter("interface"):
            if interface.find(f"mac[@address='{wanted}']") is not None:
                bus = interface.find("address")
                assert bus is not None
                number = int(bus.get("bus", "0"), 16)
                port = root.find(f"devices/controller[@index='{number}']/address")
                assert port is not None
                return bus.get("bus"), bus.get("slot"), port.get("slot"), port.get("function")
        raise AssertionError("no such vNIC")

    wanted = "02:00:00:00:00:09"
    fixed = replace(last, mac_address=wanted)
    assert place(changed(vnics=(*appliance.vnics[:-1], fixed))) == place(changed(vnics=(fixed,)))


def test_there_are_spare_ports_and_no_two_devices_on_one_address() -> None:
    appliance, _, _ = parts(FIREWALL)
    for indexes in ((), (0,), (3, 23)):
        vnics = tuple(replace(appliance.vnics[0], name=f"v{index}", index=index) for index in indexes)
        root = xml(changed(vnics=vnics))
        ports = [port for port in root.iter("controller") if port.get("model") == "pcie-root-port"]
        assert len(ports) == max(indexes, default=-1) + 1 + 8
        places = [tuple(sorted(address.attrib.items())) for address in root.iter("address")]
        bare = [tuple(pair for pair in place if pair[0] != "multifunction") for place in places]
        assert len(set(bare)) == len(bare)


def test_texts_are_escaped() -> None:
    appliance, image, host = parts(FIREWALL)
    made = definition(appliance, replace(image, command_line='a<b> & "c"'), host)
    found = xml(made).find("os/cmdline")
    assert found is not None
    assert found.text == 'a<b> & "c"'
