"""A host of its own: devices, queues, domains and files, kept in a file of which the agent knows nothing.

Every single effect goes through `change`, which calls the hook before and after it, so that a test can fail,
or kill the process, between any two effects, also within one step.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from twinplane.plan.resource import Domain, Htb, ImageFile, Redirect, Run, Scheduler, Seed
from twinplane_wire.path import Path

Hook = Callable[[str, str], None]


@dataclass
class Device:
    """A network device. `owner` None: no mark of ours on it."""

    kind: str  # bridge, tap, ifb, or "" for what the host itself has
    owner: Path | None = None
    mtu: int = 1500
    mac: str = "00:00:00:00:00:00"
    master: str | None = None
    up: bool = False
    generation: int = 0


@dataclass
class Kernel:
    """Everything that survives the agent."""

    devices: dict[str, Device] = field(default_factory=dict)
    queues: dict[str, Htb | Redirect] = field(
        default_factory=dict
    )  # by "<device> root" or "<device> ingress"
    domains: dict[str, Domain] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)  # guests that got a request to stop
    schedulers: dict[str, Scheduler] = field(default_factory=dict)
    files: dict[str, ImageFile | Seed] = field(default_factory=dict)
    trash: dict[str, ImageFile | Seed] = field(default_factory=dict)
    foreign_domains: set[str] = field(default_factory=set)


class Host:
    """The kernel and what was done to it since this object was made. Without a file it lives in memory."""

    def __init__(self, file: FilePath | None = None) -> None:
        self._file = file
        self.kernel = Kernel()
        if file is not None and file.exists():
            self.kernel = pickle.loads(file.read_bytes())
        self.effects: list[str] = []
        self.hook: Hook = lambda _when, _label: None

    def change(self, label: str, effect: Callable[[Kernel], object]) -> None:
        """One effect, whole or not at all."""
        self.hook("before", label)
        effect(self.kernel)
        self.effects.append(label)
        self.save()
        self.hook("after", label)

    def save(self) -> None:
        """What is now outlives the process (not a power cut: only processes are killed here)."""
        if self._file is not None:
            whole = self._file.with_suffix(".new")
            whole.write_bytes(pickle.dumps(self.kernel))
            whole.replace(self._file)

    def start_guest(self, name: str) -> None:
        """As libvirt does: the guest is there, paused, and the root queues of its taps are gone."""
        kernel = self.kernel
        domain = kernel.domains[name]
        kernel.domains[name] = _running(domain, Run.PAUSED)
        for device, item in kernel.devices.items():
            if item.kind == "tap" and item.owner is not None and domain.owner.is_prefix_of(item.owner):
                kernel.queues.pop(f"{device} root", None)

    def end_guest(self, name: str) -> None:
        """The process of the guest is gone, and its CPU share with it."""
        self.kernel.domains[name] = _running(self.kernel.domains[name], Run.STOPPED)
        self.kernel.asked.discard(name)
        self.kernel.schedulers.pop(name, None)

    def without_idle_queues(self) -> Kernel:
        """A copy without the root queues of taps whose guest is stopped: nothing passes there, the next start
        replaces them, and so nobody takes them away."""
        copy = self.snapshot()
        active = {name for name, domain in copy.domains.items() if domain.run is not Run.STOPPED}
        copy.queues = {
            key: queue
            for key, queue in copy.queues.items()
            if not isinstance(queue, Htb) or queue.domain is None or queue.domain in active
        }
        return copy

    def snapshot(self) -> Kernel:
        """A copy of everything, to compare with."""
        copy: Kernel = pickle.loads(pickle.dumps(self.kernel))
        return copy


def _running(domain: Domain, run: Run) -> Domain:
    return Domain(domain.name, domain.uuid, domain.owner, domain.digest, run, domain.xml, domain.title)
