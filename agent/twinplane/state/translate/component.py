"""The inventory: the host as chassis, every appliance as a software module."""

from collections.abc import Iterator

from twinplane.state.facts import HostFact
from twinplane.state.inventory import CHASSIS, component_path
from twinplane.state.section import Section
from twinplane.state.translate.appliance import admin_state, oper_status
from twinplane.state.translate.known import Known
from twinplane_wire.path import Path


def translate_chassis(known: Known, host: HostFact) -> Iterator[Section]:
    """The row of the host."""
    del known, host
    yield Section(
        component_path(CHASSIS).child("state"),
        {"name": CHASSIS, "type": "twinplane-types:CHASSIS", "oper-status": "twinplane-types:ACTIVE"},
    )


def translate(known: Known, appliance: Path) -> Iterator[Section]:
    """The row of an appliance that the hypervisor knows."""
    domain = known.domains.get(appliance)
    if domain is None:
        return
    admin = admin_state(known.config.get(appliance))
    status, _ = oper_status(admin, domain, known.failed.get(appliance))
    idle = "DISABLED" if admin == "STOPPED" and status == "STOPPED" else "INACTIVE"
    name = f"appliance:{appliance.elems[-1].keys[0][1]}"
    yield Section(
        component_path(name).child("state"),
        {
            "name": name,
            "type": "twinplane-types:SOFTWARE_MODULE",
            "parent": CHASSIS,
            "oper-status": f"twinplane-types:{'ACTIVE' if status == 'RUNNING' else idle}",
        },
    )
