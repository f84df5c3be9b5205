"""What is read out of libvirt's answers."""

from uuid import UUID

import pytest

from twinplane.hypervisor.domain import (
    DomainInterface,
    DomainMark,
    DomainState,
    parse_interfaces,
    parse_mark,
    reason_name,
)

INSTANCE = "3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10"


def test_mark_is_read_whatever_the_prefix():
    element = (
        f'<x:appliance xmlns:x="https://twinplane.org/xmlns/domain/1" instance="{INSTANCE}" '
        'path="/appliances/appliance[name=fw1]" digest="sha256:ab" image-digest="sha256:cd"/>'
    )
    assert parse_mark(element) == DomainMark(
        UUID(INSTANCE), "/appliances/appliance[name=fw1]", "sha256:ab", "sha256:cd", ""
    )


@pytest.mark.parametrize(
    "element",
    [
        "",
        "<a",
        "<a/>",
        f'<a instance="{INSTANCE}" path="/x"/>',
        '<a instance="not-a-uuid" path="/x" digest="sha256:ab"/>',
    ],
)
def test_what_is_not_a_mark_is_nobodys(element):
    assert parse_mark(element) is None


def test_interfaces_come_by_their_places():
    def interface(device: str, bus: str) -> str:
        return (
            f'<interface type="ethernet"><mac address="52:54:00:00:00:01"/><target dev="{device}"/>'
            f'<address type="pci" domain="0x0000" bus="{bus}" slot="0x00" function="0x0"/></interface>'
        )

    xml = f"<domain><devices>{interface('tpb', '0x0b')}{interface('tpa', '0x01')}</devices></domain>"
    assert parse_interfaces(xml) == (
        DomainInterface("tpa", "52:54:00:00:00:01", 0),
        DomainInterface("tpb", "52:54:00:00:00:01", 10),
    )


def test_reasons_have_names_and_newer_ones_do_not():
    assert reason_name(DomainState.SHUTOFF, 2) == "destroyed"
    assert reason_name(DomainState.SHUTOFF, 99) == "unknown"
    assert reason_name(DomainState.NOSTATE, 0) == "unknown"
