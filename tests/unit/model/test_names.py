"""Kernel names: derived, short, stable, and found again in the alias."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from twinplane.model import names
from twinplane.model.appliance import appliance_path, vnic_path
from twinplane.model.switch import switch_path

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")


def test_names_of_a_known_instance() -> None:
    assert names.bridge_name(INSTANCE, switch_path("lan")) == "brn3ffuw6dd6l"
    assert names.bridge_name(INSTANCE, switch_path("wan")) == "br2qalyq4vl5p"
    assert names.tap_name(INSTANCE, vnic_path("fw1", "lan")) == "tpvfehp5kkmtw"
    assert names.ifb_name(INSTANCE, vnic_path("fw1", "lan")) == "fbvfehp5kkmtw"
    assert names.domain_name(INSTANCE, appliance_path("fw1")) == "vmcj2zgj6z5h5"
    assert str(names.domain_uuid(INSTANCE, appliance_path("fw1"))).startswith("ddeb0b2f-")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=31))
def test_a_name_fits_the_kernel_and_a_mac_is_local_and_unicast(name: str) -> None:
    path = appliance_path(name)
    assert len(names.domain_name(INSTANCE, path)) <= 15
    first = int(names.derived_mac(INSTANCE, path)[:2], 16)
    assert first & 0x02
    assert not first & 0x01


@given(st.text(min_size=1, max_size=31))
def test_an_alias_leads_back_to_its_owner(name: str) -> None:
    path = appliance_path(name)
    assert names.parse_alias(names.alias(INSTANCE, path)) == names.Owner(INSTANCE, path)


def test_a_foreign_alias_has_no_owner() -> None:
    for text in ("", "uplink to the lab", "twinplane:no-uuid:/a", f"twinplane:{INSTANCE}:relative"):
        assert names.parse_alias(text) is None


def test_a_copied_mark_makes_no_domain_ours() -> None:
    path = appliance_path("fw1")
    assert names.domain_owner(INSTANCE, "vmcj2zgj6z5h5", str(path)) == path
    assert names.domain_owner(INSTANCE, "copy-of-fw1", str(path)) is None
    assert names.domain_owner(INSTANCE, "vmcj2zgj6z5h5", "no path[") is None
