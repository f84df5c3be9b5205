"""Guests outlive the process that started them, and are found again as they are."""

import os
import signal
from pathlib import Path

import pytest

from hypervisor.appliance import INSTANCE, drivers, firewall
from hypervisor.scenario import alone, run
from twinplane.hypervisor.embedded import open_embedded
from twinplane.plan.resource import Key, Noun, Ownership, Run
from twinplane.state.facts import DomainFact
from twinplane.state.sources.hypervisor import HypervisorSource

pytestmark = pytest.mark.hypervisor


async def start_and_die(state: Path) -> None:
    """Start a guest, say its process id, and be killed."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    paused = fw.domain(Run.PAUSED)
    await made.domain.ensure(paused.key, paused)
    record = await embedded.connection.domain(fw.name)
    assert record is not None
    (state / "pid").write_text(str(record.pid))
    os.kill(os.getpid(), signal.SIGKILL)


@alone
async def test_a_guest_is_adopted_without_a_modifying_call(state: Path) -> None:
    died = run(Path(__file__), "start_and_die", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    paused = fw.domain(Run.PAUSED)
    assert await made.domain.survey(()) == (paused,)
    assert await made.domain.ensure(paused.key, paused) == paused
    batch = await HypervisorSource(INSTANCE, embedded.connection).everything()
    assert batch.complete
    (fact,) = batch.facts
    assert isinstance(fact, DomainFact)
    assert fact.pid == int((state / "pid").read_text())
    assert embedded.connection.writes == 0

    stopped = fw.domain(Run.STOPPED)
    assert await made.domain.ensure(stopped.key, stopped) == stopped  # a paused guest is not asked
    assert await made.domain.ensure(stopped.key, None) is None
    await fw.remove_files(made, state)
    await embedded.close()


@alone
async def test_a_copy_of_a_domain_is_somebody_elses(state: Path) -> None:
    """Whoever copies a definition copies the mark in it too."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    stopped = fw.domain(Run.STOPPED)
    await made.domain.ensure(stopped.key, stopped)
    copy = stopped.xml("").replace(fw.name, "copy").replace(str(fw.uuid), str(INSTANCE))
    await embedded.connection.define("copy", copy)
    assert await made.domain.survey(()) == (stopped,)
    assert len(await made.scheduler.survey(())) == 1
    found = await made.domain.find(Key(Noun.DOMAIN, "copy"))
    assert found.ownership is Ownership.FOREIGN
    (fact,) = (await HypervisorSource(INSTANCE, embedded.connection).everything()).facts
    assert isinstance(fact, DomainFact) and fact.name == fw.name
    await embedded.connection.undefine("copy")
    assert await made.domain.ensure(stopped.key, None) is None
    await fw.remove_files(made, state)
    await embedded.close()
