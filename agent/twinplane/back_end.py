"""The way down: connections, drivers and sources of one host, opened and handed out together."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.domain import DomainDriver
from twinplane.drivers.image_file import ImageFileDriver
from twinplane.drivers.link import LinkDriver
from twinplane.drivers.port import PortDriver
from twinplane.drivers.qdisc import QdiscDriver
from twinplane.drivers.scheduler import SchedulerDriver
from twinplane.drivers.seed import SeedDriver
from twinplane.errors import DriverError, RequestError, StartError, Violation
from twinplane.hypervisor.console_log import KIB, ConsoleLogs
from twinplane.hypervisor.embedded import Embedded, open_embedded
from twinplane.image.source import Digests
from twinplane.image.store import Store
from twinplane.model.host import Accelerator, Capabilities
from twinplane.netlink.connection import Connection as Netlink
from twinplane.plan.resource import ImageFile
from twinplane.plan.step import Step
from twinplane.privilege import Privilege
from twinplane.settings import Settings
from twinplane.share.cpu import group_shares
from twinplane.state.collect import Feed
from twinplane.state.raised import Raised
from twinplane.state.sources.host import HostSource
from twinplane.state.sources.hypervisor import HypervisorSource
from twinplane.state.sources.netlink import NetlinkSource
from twinplane.state_dir import StateDir
from twinplane.transaction.driver import Driver

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackEnd:
    """The host's kernel and hypervisor, and the files that guests use."""

    state: StateDir
    image_dir: Path
    netlink: Netlink
    hypervisor: Embedded
    store: Store

    def drivers(self) -> Sequence[Driver]:
        """One for every noun."""
        instance = self.state.instance
        return (
            ImageFileDriver(self.store, self.image_dir, instance),
            SeedDriver(self.store, instance),
            DeviceDriver(instance, self.netlink),
            QdiscDriver(instance, self.netlink),
            PortDriver(instance, self.netlink),
            LinkDriver(self.netlink),
            DomainDriver(self.hypervisor, instance, self.store),
            SchedulerDriver(self.hypervisor.connection, instance),
        )

    def feeds(self, found: Capabilities) -> Sequence[Feed]:
        """One for every source of facts."""
        network = NetlinkSource(self.state.instance, self.netlink)
        guests = HypervisorSource(self.state.instance, self.hypervisor.connection)
        host = HostSource(self.state.instance, found)
        return (
            Feed("netlink", network.batches, network.poll),
            Feed("hypervisor", guests.batches, guests.poll),
            Feed("host", host.batches),
        )

    async def sweep(self) -> None:
        """Remove what finished steps leave behind. Raises DriverError."""

        def remove() -> None:
            self.store.empty_trash()
            self.store.sweep()
            self.hypervisor.weight.settle()
            self.hypervisor.left_overs.sweep()

        try:
            await asyncio.to_thread(remove)
        except OSError as error:
            raise DriverError(f"{error.filename} cannot be removed: {error.strerror}") from error

    async def watch(self, raised: Raised) -> None:
        """Keep the alarm about guests that run as root, for as long as the agent runs."""
        await Privilege(self.hypervisor, raised).serve()

    @property
    def written(self) -> str:
        """How much was changed through here so far, in words."""
        calls = self.hypervisor.connection.writes
        return f"{self.netlink.writes} netlink writes, {calls} modifying libvirt calls"


async def open_back_end(
    state: StateDir, settings: Settings, found: Capabilities, stack: AsyncExitStack
) -> BackEnd:
    """Open the connections, keep the guests' console logs in bounds; `stack` ends both. Raises StartError."""
    try:
        hypervisor = await open_embedded(
            state.folder("libvirt"),
            group_shares(found.cpus * 1000, found.reserve_cpu),
            kvm=found.accelerator is Accelerator.KVM,
            allow_root=settings.hypervisor.allow_root,
            uids=settings.hypervisor.uids,
        )
    except DriverError as error:
        raise StartError(f"{error}" + (f"; {error.remedy}" if error.remedy else "")) from error
    stack.push_async_callback(hypervisor.close)
    state.admit(hypervisor.root.group)
    if hypervisor.root.warning:
        log.warning("%s", hypervisor.root.warning)
    if hypervisor.root.shared:
        log.warning("all guests share one user: %s", hypervisor.root.shared)
    netlink = await stack.enter_async_context(Netlink())
    logs = ConsoleLogs(
        state.folder("appliances"), hypervisor.root.path, settings.hypervisor.console_log * KIB
    )
    stack.callback(asyncio.create_task(logs.serve(), name="console logs").cancel)
    return BackEnd(state, settings.agent.image_dir, netlink, hypervisor, Store(state.root))


class ImageCheck:
    """Files of images are looked at before anything is touched: missing, or of another digest."""

    def __init__(self, image_dir: Path) -> None:
        self._digests = Digests(image_dir)

    async def __call__(self, steps: Sequence[Step]) -> None:
        """Raises RequestError (Fault.STATE) with every file that the steps would copy in vain."""
        found: list[Violation] = []
        for step in steps:
            wanted = step.after
            if isinstance(wanted, ImageFile) and step.before is None:
                role = Path(wanted.file).name
                path = wanted.owner.child("config").child(f"{role}-source")
                try:
                    await asyncio.to_thread(self._digests.check, path, wanted.source, wanted.digest)
                except RequestError as error:
                    found += error.violations
        if found:
            raise RequestError(*found)
