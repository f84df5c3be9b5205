"""The embedded hypervisor as one piece: root, connection, cgroups, opened in the order that is needed."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from twinplane.errors import DriverError
from twinplane.hypervisor.cgroup import LeftOvers
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.lane import LIMITS, Limits
from twinplane.hypervisor.probe import end_probes
from twinplane.hypervisor.root import EmbeddedRoot, prepare
from twinplane.hypervisor.status import clear_records
from twinplane.hypervisor.unaided import ask_unaided
from twinplane.hypervisor.weight import MachineWeight
from twinplane.share.cpu import MOST_SHARES


@dataclass(frozen=True, slots=True)
class Embedded:
    """An open embedded hypervisor. A process can have one: libvirt keeps to the first root it opened."""

    root: EmbeddedRoot
    connection: Connection
    left_overs: LeftOvers
    weight: MachineWeight

    async def close(self) -> None:
        """Let go of libvirt and of threads that hang; guests go on running."""
        try:
            await self.connection.close()
        finally:
            self.connection.dismiss()
            await asyncio.to_thread(end_probes, self.root.path)


async def open_embedded(
    path: Path,
    shares: int = MOST_SHARES,
    *,
    kvm: bool = False,
    allow_root: bool = False,
    uids: range = range(0),
    limits: Limits = LIMITS,
) -> Embedded:
    """Prepare the folder, put records of guests that are not there out of libvirt's way, note the cgroups
    that are not there yet, open libvirt. `shares` is what all guests together weigh beside a task of the
    host, which weighs 1024; `kvm`, `allow_root` and `uids` as `prepare` takes them; `limits` of calls.
    Raises `DriverError`."""
    root = await asyncio.to_thread(prepare, path, kvm=kvm, allow_root=allow_root, uids=uids)
    left_overs = LeftOvers(root.path)
    if root.unaided:
        await asyncio.to_thread(ask_unaided, root.path)
    try:
        await asyncio.to_thread(end_probes, root.path)
        await asyncio.to_thread(clear_records, root.path, left_overs.clean)
        await asyncio.to_thread(left_overs.remember)
    except OSError as error:
        raise DriverError(f"{path}: {error}") from error
    connection = Connection(root, limits)
    try:
        await connection.open()
    except BaseException as error:
        connection.dismiss()
        if not isinstance(error, DriverError):
            raise
        text = f"libvirt's embedded QEMU driver does not open: {error}"
        raise DriverError(text, remedy=error.remedy, unknown=error.unknown) from error
    weight = MachineWeight(root.path, shares)
    connection.listen(weight.follow)
    return Embedded(root, connection, left_overs, weight)
