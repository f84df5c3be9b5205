"""Whose a device is, by its alias."""

from uuid import UUID

import pytest

from twinplane.drivers.mark import foreign, read_mark
from twinplane.model.names import alias
from twinplane.netlink.link import LinkRow
from twinplane.plan.resource import Ownership
from twinplane_wire.path import ROOT, parse

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
STRANGER = UUID("00000000-0000-4000-8000-000000000001")
PATH = parse("/appliances/appliance[name=fw1]/vnics/vnic[name=lan]")


def link(mark: str) -> LinkRow:
    return LinkRow(7, "tp0", "tun", 0, 1500, "", mark, 0, "DOWN", False, 0, "noop", None, b"")


def test_own_foreign_and_unmarked() -> None:
    assert read_mark(link(alias(INSTANCE, PATH)), INSTANCE) == (Ownership.OWN, PATH)
    assert read_mark(link(""), INSTANCE) == (Ownership.ABSENT, ROOT)


@pytest.mark.parametrize("mark", [alias(STRANGER, PATH), "uplink to the lab", "twinplane:x:/a", "twinplane"])
def test_any_other_alias_is_somebody_elses(mark: str) -> None:
    assert read_mark(link(mark), INSTANCE) == (Ownership.FOREIGN, ROOT)


def test_a_foreign_device_is_described_for_the_user() -> None:
    found = foreign(link("uplink to the lab"))
    assert found.ownership is Ownership.FOREIGN
    assert found.description == 'tun tp0 of another owner (index 7, alias "uplink to the lab")'
