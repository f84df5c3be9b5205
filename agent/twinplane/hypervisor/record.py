"""What libvirt tells of a domain and of itself, as plain values. Raises libvirt's own errors, whose meaning
`connection` knows."""

from pathlib import Path
from typing import Any
from uuid import UUID

import libvirt

from twinplane.hypervisor import process
from twinplane.hypervisor.domain import (
    NAMESPACE,
    DomainMark,
    DomainRecord,
    DomainState,
    SchedulerRecord,
    SchedulerValues,
    parse_interfaces,
    parse_label,
    parse_mark,
    reason_name,
)


def record(root: Path, domain: Any) -> DomainRecord:
    """What libvirt says of a domain; `root` is where it lives, for the process of the guest."""
    number, reason = domain.state(0)
    _, _, memory, vcpus, _ = domain.info()
    state = DomainState(number)
    name = domain.name()
    xml = domain.XMLDesc(0)
    pid = process.pid_of(root, name) if domain.isActive() else None
    return DomainRecord(
        name=name,
        uuid=UUID(domain.UUIDString()),
        title=_metadata(domain, libvirt.VIR_DOMAIN_METADATA_TITLE, None),
        state=state,
        reason=reason_name(state, reason),
        vcpus=vcpus,
        memory=memory * 1024,
        mark=_mark(domain),
        pid=pid,
        start_time=process.start_time(pid) if pid is not None else None,
        interfaces=parse_interfaces(xml),
        label=parse_label(xml),
    )


def _mark(domain: Any) -> DomainMark | None:
    return parse_mark(_metadata(domain, libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE))


def _metadata(domain: Any, kind: int, namespace: str | None) -> str:
    try:
        return str(domain.metadata(kind, namespace, libvirt.VIR_DOMAIN_AFFECT_CURRENT))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return ""
        raise


def scheduler(domain: Any) -> SchedulerRecord:
    """The CPU values in force, of a domain that does not run those of its definition."""
    values = domain.schedulerParametersFlags(libvirt.VIR_DOMAIN_AFFECT_CURRENT)
    quota = int(values.get(libvirt.VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, -1))
    found = SchedulerValues(
        # 0 is "never set", a negative number (or the largest one) "no limit"
        quota=quota if 0 < quota < (1 << 60) else -1,
        period=int(values.get(libvirt.VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, 0)),
        shares=int(values.get(libvirt.VIR_DOMAIN_SCHEDULER_CPU_SHARES, 0)),
    )
    return SchedulerRecord(domain.name(), _mark(domain), found)


def version(number: int) -> str:
    """A version as libvirt and QEMU write theirs, from libvirt's number for it."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
