"""One guest from nothing to nothing, in a process that also serves gRPC."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from hypervisor.appliance import INSTANCE, drivers, firewall
from hypervisor.scenario import alone, until
from twinplane.errors import DriverError
from twinplane.hypervisor.embedded import open_embedded
from twinplane.plan.resource import Domain, Ownership, Run, Scheduler
from twinplane.state.facts import DomainFact, DomainGone, DomainUsage, Fact
from twinplane.state.sources.hypervisor import HypervisorSource

pytestmark = pytest.mark.hypervisor
RULES = "table inet fw {\n}\n"


@alone
async def test_a_guest_from_nothing_to_nothing(state: Path) -> None:
    import grpc

    server = grpc.aio.server()
    server.add_insecure_port(f"unix:{state}/s")
    await server.start()
    machine_before = _machine_folders()
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state, rules_nft=RULES)
    source = HypervisorSource(INSTANCE, embedded.connection)
    facts: list[Fact] = []

    async def collect() -> None:
        async with aclosing(source.batches()) as batches:
            async for batch in batches:
                facts.extend(batch.facts)

    def states() -> list[str]:
        return [fact.state for fact in facts if isinstance(fact, DomainFact)]

    async with asyncio.TaskGroup() as tasks:
        collecting = tasks.create_task(collect())
        await fw.place_files(made)
        paused, running = fw.domain(Run.PAUSED), fw.domain(Run.RUNNING)
        assert (await made.domain.find(paused.key)).ownership is Ownership.ABSENT
        assert await made.domain.ensure(paused.key, paused) == paused
        await until(lambda: "paused" in states(), "an event of the paused guest")

        scheduler = Scheduler(fw.name, fw.model.path, 150_000, 100_000, 256)
        assert await made.scheduler.ensure(scheduler.key, scheduler) == scheduler
        assert await made.domain.ensure(running.key, running) == running
        await until(lambda: fw.says("twinplane-firewall: up"), "the guest is up")
        await until(lambda: states()[-1] == "running", "an event of the running guest")

        writes = embedded.connection.writes
        assert await made.domain.ensure(running.key, running) == running
        assert await made.scheduler.ensure(scheduler.key, scheduler) == scheduler
        assert await made.domain.survey(()) == (running,)
        assert await made.scheduler.survey(()) == (scheduler,)
        assert embedded.connection.writes == writes

        (fact,) = [fact for fact in (await source.everything()).facts if isinstance(fact, DomainFact)]
        assert (fact.vcpus, fact.memory, fact.owner) == (1, 256 << 20, fw.model.path)
        assert fact.image_digest == fw.image.kernel.digest
        (cpu,) = (await source.poll()).facts
        assert isinstance(cpu, DomainUsage)
        assert cpu.cpu_time > 500_000_000
        assert _guest_folders(embedded.root.path)

        other = Domain(fw.name, fw.uuid, fw.model.path, "sha256:00", Run.RUNNING, running.xml)
        with pytest.raises(DriverError, match="another definition"):
            await made.domain.ensure(other.key, other)

        stopped = fw.domain(Run.STOPPED)
        asked = await made.domain.ensure(stopped.key, stopped)
        assert asked in (running, stopped)
        await until(lambda: states()[-1] == "shutoff", "the guest followed its request")
        assert fw.says("power button")
        assert await made.domain.ensure(stopped.key, stopped) == stopped
        assert (await made.scheduler.find(scheduler.key)).resource == scheduler

        assert await made.domain.ensure(stopped.key, None) is None
        await until(lambda: isinstance(facts[-1], DomainGone), "an event of the undefined domain")
        await fw.remove_files(made, state)
        assert _guest_folders(embedded.root.path) == []
        assert _machine_folders() <= machine_before | _machine_folders_in_use()
        collecting.cancel()
    await embedded.close()
    await server.stop(0)


def _guest_folders(root: Path) -> list[Path]:
    import hashlib

    digest = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return list(Path("/sys/fs/cgroup").glob(f"**/machine/qemu-embed-{digest}-*"))


def _machine_folders() -> set[Path]:
    return set(Path("/sys/fs/cgroup").glob("*/machine")) | set(Path("/sys/fs/cgroup").glob("machine"))


def _machine_folders_in_use() -> set[Path]:
    """Those that hold guests of somebody else, who may run at the same time."""
    return {folder for folder in _machine_folders() if any(each.is_dir() for each in folder.iterdir())}
