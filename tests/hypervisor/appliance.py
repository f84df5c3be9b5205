"""A firewall appliance for tests: its image, its resources, the drivers that realise it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from hypervisor.scenario import REPOSITORY, firewall_image
from twinplane.drivers.domain import DomainDriver
from twinplane.drivers.image_file import ImageFileDriver
from twinplane.drivers.scheduler import SchedulerDriver
from twinplane.drivers.seed import SeedDriver
from twinplane.hypervisor.embedded import Embedded
from twinplane.image.store import Store
from twinplane.model.appliance import AdminState, Appliance, CpuShare, SeedFile, Vnic
from twinplane.model.host import Accelerator, Capabilities
from twinplane.model.image import Image, ImageFile
from twinplane.model.names import domain_name, domain_uuid
from twinplane.plan.appliance import seed as day0
from twinplane.plan.appliance.domain_xml import definition, write
from twinplane.plan.context import Context
from twinplane.plan.image.realise import realise
from twinplane.plan.resource import Domain, Run, Seed

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
MEMORY = 256 << 20
CAPABILITIES = Capabilities(2, 8 << 30, 0, 1 << 30, Accelerator.TCG, MEMORY)


@dataclass(frozen=True, slots=True)
class Drivers:
    """One of each."""

    image: ImageFileDriver
    seed: SeedDriver
    domain: DomainDriver
    scheduler: SchedulerDriver


def drivers(embedded: Embedded, state: Path) -> Drivers:
    """The drivers on an open hypervisor."""
    store = Store(state)
    return Drivers(
        ImageFileDriver(store, REPOSITORY / "build/images/firewall", INSTANCE),
        SeedDriver(store, INSTANCE),
        DomainDriver(embedded, INSTANCE, store),
        SchedulerDriver(embedded.connection, INSTANCE),
    )


@dataclass(frozen=True, slots=True)
class Firewall:
    """An appliance and its image, as the model has them."""

    model: Appliance
    image: Image
    context: Context

    @property
    def name(self) -> str:
        """Name of its domain."""
        return domain_name(INSTANCE, self.model.path)

    @property
    def uuid(self) -> UUID:
        """UUID of its domain."""
        return domain_uuid(INSTANCE, self.model.path)

    @property
    def console(self) -> Path:
        """Its console log."""
        return Path(self.context.state_dir / day0.console_file(self.uuid))

    def says(self, text: str) -> bool:
        """True when the console has shown this."""
        return self.console.exists() and text in self.console.read_text(errors="replace")

    def domain(self, run: Run, stop_timeout: int = 60) -> Domain:
        """Its domain in a run state."""
        made = definition(self.model, self.image, self.context)
        xml, title = partial(write, made, self.model.name), self.model.name
        return Domain(self.name, self.uuid, self.model.path, made.digest, run, xml, title, stop_timeout)

    def seed(self) -> Seed:
        """Its seed."""
        files = self.model.files
        file = day0.seed_file(self.uuid)
        return Seed(file, day0.digest(files), self.model.path, self.uuid, self.model.name, files)

    async def place_files(self, made: Drivers) -> None:
        """Copies of the image and the seed."""
        for file in realise(self.image, self.context):
            assert await made.image.ensure(file.key, file) == file
        seed = self.seed()
        assert await made.seed.ensure(seed.key, seed) == seed

    async def remove_files(self, made: Drivers, state: Path) -> None:
        """No file left."""
        for file in realise(self.image, self.context):
            assert await made.image.ensure(file.key, None) is None
        assert await made.seed.ensure(self.seed().key, None) is None
        Store(state).empty_trash()
        left = [path for folder in ("images", "appliances", "trash") for path in (state / folder).rglob("*")]
        assert left == []


def firewall(state: Path, vnics: tuple[Vnic, ...] = (), **files: str) -> Firewall:
    """A firewall named fw1; keyword arguments are day-0 files (an underscore stands for a dot)."""
    config = firewall_image()
    image = Image(
        "firewall",
        ImageFile("vmlinuz", config["kernel-digest"]),
        ImageFile("initrd.img", config["initrd-digest"]),
        config["command-line"],
    )
    day_0 = tuple(SeedFile(name.replace("_", "."), content) for name, content in files.items())
    model = Appliance(
        "fw1", "firewall", AdminState.RUNNING, 60, 1, CpuShare(None, None), MEMORY, vnics, day_0
    )
    return Firewall(model, image, Context(INSTANCE, CAPABILITIES, {"firewall": image}, state))
