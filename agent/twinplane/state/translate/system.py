"""The box: its name and boot time, what it can do, its sources of facts and its alarms."""

from collections.abc import Iterator

from twinplane.state.facts import HostFact
from twinplane.state.section import Section, Stamp, present
from twinplane.state.translate.known import Known
from twinplane_wire.path import ROOT

POLLED = (("system", "host", "sources", "source", "state", "last-update"),)

SYSTEM = ROOT.child("system")
HOST = SYSTEM.child("host")


def translate(known: Known, host: HostFact) -> Iterator[Section]:
    """The host itself and its capabilities."""
    del known
    yield Section(
        SYSTEM.child("state"), present({"hostname": host.hostname, "boot-time": host.boot_time or None})
    )
    yield Section(
        HOST.child("state"),
        present({"instance-id": host.instance_id, "accelerator": host.capabilities.accelerator.value}),
    )
    for feature in host.capabilities.features:
        yield Section(
            HOST.child("capabilities").child("capability", ("name", feature.name)).child("state"),
            present(
                {
                    "name": feature.name,
                    "available": feature.available,
                    "reason": "" if feature.available else feature.reason,
                }
            ),
        )


def translate_source(known: Known, name: str) -> Iterator[Section]:
    """How a source of facts is: CURRENT, or STALE when its last answer is old or it failed."""
    source = known.sources.get(name)
    if source is None:
        return
    yield Section(
        HOST.child("sources").child("source", ("name", name)).child("state"),
        present(
            {
                "name": name,
                "status": "CURRENT" if source.status == "OK" else "STALE",
                "last-update": source.last_update or None,
            }
        ),
    )


def translate_alarm(known: Known, alarm_id: str) -> Iterator[Section]:
    """One alarm, for as long as it is raised."""
    alarm = known.alarms.get(alarm_id)
    if alarm is None:
        return
    yield Section(
        SYSTEM.child("alarms").child("alarm", ("id", alarm_id)).child("state"),
        present(
            {
                "id": alarm_id,
                "resource": alarm.resource,
                "text": alarm.text,
                "severity": f"twinplane-types:{alarm.severity}",
                "type-id": f"twinplane-types:{alarm.kind}",
            }
        ),
        Stamp("time-created", "id"),
    )
