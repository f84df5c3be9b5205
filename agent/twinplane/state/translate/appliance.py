"""Appliances: the domain, its processors and memory, its CPU share, its seed."""

from collections.abc import Iterator

from twinplane.share.cpu import CORE_SHARES, guaranteed
from twinplane.state.facts import DomainFact, DomainUsage
from twinplane.state.section import Section, Stamp, present
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container
from twinplane_wire.path import Path

POLLED = (
    ("appliances", "appliance", "compute", "share", "state", "delivered"),
    ("appliances", "appliance", "memory", "state", "rss"),
)

_ENDED = {
    "shutdown": "the guest ended by itself",
    "destroyed": "the guest was ended by force",
    "saved": "the guest was saved",
    "migrated": "the guest was moved away",
}


def translate(known: Known, appliance: Path) -> Iterator[Section]:
    """State of the domain that realises an appliance."""
    domain = known.domains.get(appliance)
    config = known.config.get(appliance)
    if domain is None and config is None:
        return
    status, reason = oper_status(admin_state(config), domain, known.failed.get(appliance))
    leaves = present(
        {
            "name": appliance.elems[-1].keys[0][1],
            "oper-status": status,
            "oper-reason": reason,
            "uuid": None if domain is None else domain.uuid,
            "image-digest": None if domain is None else domain.image_digest,
            "start-time": None if domain is None else domain.start_time,
        }
    )
    witness = (leaves.get("uuid"), leaves.get("start-time"))
    yield Section(appliance.child("state"), leaves, Stamp("last-change", "oper-status", witness))
    if domain is None:
        return
    if domain.vcpus:
        yield Section(appliance.child("compute").child("state"), {"vcpus": domain.vcpus})
    if domain.memory:
        yield Section(appliance.child("memory").child("state"), {"size": domain.memory})


def translate_share(known: Known, appliance: Path) -> Iterator[Section]:
    """The CPU share that is set: guarantee and limit in millicores."""
    scheduler = known.schedulers.get(appliance)
    if scheduler is None:
        return
    core = CORE_SHARES if known.host is None else known.host.capabilities.core_shares
    guarantee = guaranteed(scheduler.shares, core)
    limit = scheduler.quota * 1000 // scheduler.period if scheduler.quota > 0 else None
    yield Section(_share(appliance), present({"guarantee": guarantee, "limit": limit}))


def translate_delivered(known: Known, appliance: Path) -> Iterator[Section]:
    """What the domain used between the last two polls, in millicores."""
    earlier, latest = known.usage.get(appliance, (None, None))
    if earlier is not None and latest is not None and latest.time > earlier.time:
        yield Section(_share(appliance), {"delivered": delivered(earlier, latest)})


def translate_memory(known: Known, appliance: Path) -> Iterator[Section]:
    """What the domain's process held at the last poll, in bytes."""
    _, latest = known.usage.get(appliance, (None, None))
    if latest is not None and latest.resident:
        yield Section(appliance.child("memory").child("state"), {"rss": latest.resident})


def translate_seed(known: Known, appliance: Path) -> Iterator[Section]:
    """What was delivered to the guest at its first boot."""
    seed = known.seeds.get(appliance)
    if seed is not None:
        yield Section(appliance.child("bootstrap").child("state"), {"delivered-digest": seed.digest})


def delivered(earlier: DomainUsage, latest: DomainUsage) -> int:
    """Average use in millicores between two readings of a domain's CPU time."""
    used = max(0, latest.cpu_time - earlier.cpu_time)
    return round(used * 1000 / (latest.time - earlier.time))


def admin_state(config: Container | None) -> str | None:
    """The run state that the configuration asks for; None without configuration."""
    leaves = None if config is None else config.get("config")
    value = leaves.get("admin-state") if isinstance(leaves, Container) else None
    return value if isinstance(value, str) else None


def oper_status(admin: str | None, domain: DomainFact | None, failure: str | None) -> tuple[str, str]:
    """The `oper-status` and, where it is not what `admin` asks for, the reason.

    `failure` is why the appliance could not be brought to its configuration, where that is so.
    """
    if domain is None:
        return ("FAILED", failure) if failure else ("UNKNOWN", "the hypervisor does not know the guest")
    status, reason = _by_domain(admin, domain)
    if failure and status not in ("RUNNING", "PAUSED"):
        return "FAILED", failure
    return status, failure or reason


def _by_domain(admin: str | None, domain: DomainFact) -> tuple[str, str]:
    match domain.state:
        case "running" | "blocked" if admin == "STOPPED":
            return "STOPPING", "the guest was asked to shut down"
        case "running" | "blocked" if domain.reason == "crashed":
            return "CRASHED", "the guest panicked"
        case "running" | "blocked":
            return "RUNNING", ""
        case "paused" | "pmsuspended" if domain.reason in ("crashed", "io-error", "watchdog"):
            return "CRASHED", f"paused after {domain.reason}"
        case "paused" | "pmsuspended":
            return "PAUSED", f"paused: {domain.reason or domain.state}"
        case "shutdown":
            return "STOPPING", "the guest is shutting down" if admin != "STOPPED" else ""
        case "crashed":
            return "CRASHED", "the guest panicked"
        case "shutoff":
            return _shut_off(admin, domain.reason)
    return "UNKNOWN", f"the hypervisor says {domain.state or 'nothing'}"


def _shut_off(admin: str | None, reason: str) -> tuple[str, str]:
    if admin == "STOPPED":
        return "STOPPED", ""  # however it ended: it is off, and was meant to be
    if reason in ("crashed", "failed"):
        return "CRASHED", "the guest ended with an error"
    if reason in ("", "unknown"):
        return "DEFINED", "not started"
    return "STOPPED", _ENDED.get(reason, f"the guest is off: {reason}")


def _share(appliance: Path) -> Path:
    return appliance.child("compute").child("share").child("state")
