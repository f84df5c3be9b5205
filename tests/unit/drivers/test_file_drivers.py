"""The drivers of image files and seeds, on real files."""

import asyncio
import hashlib
from dataclasses import replace
from uuid import UUID

import pytest

from twinplane.drivers.image_file import ImageFileDriver
from twinplane.drivers.seed import SeedDriver
from twinplane.errors import DriverError
from twinplane.image.store import Store
from twinplane.model.appliance import SeedFile, appliance_path
from twinplane.model.image import image_path
from twinplane.plan.appliance.seed import digest, seed_file
from twinplane.plan.resource import ImageFile, Ownership, Seed

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
UUID_OF_FW1 = UUID("ddeb0b2f-0000-5000-8000-000000000001")


@pytest.fixture
def store(tmp_path):
    for name in ("images", "appliances", "trash"):
        (tmp_path / "state" / name).mkdir(parents=True)
    return Store(tmp_path / "state")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "of-the-user"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(b"kernel")
    return folder


def wanted(content: bytes = b"kernel") -> ImageFile:
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return ImageFile("images/00/kernel", found, image_path("firewall"), "vmlinuz")


def test_an_image_file_comes_goes_and_comes_back_without_its_source(store, images):
    async def scenario() -> None:
        driver = ImageFileDriver(store, images, INSTANCE)
        key = wanted().key
        assert (await driver.find(key)).ownership is Ownership.ABSENT
        made = await driver.ensure(key, wanted())
        assert made == wanted()
        assert isinstance(made, ImageFile)
        assert made.size == 6
        (images / "vmlinuz").unlink()
        assert await driver.ensure(key, wanted()) == wanted()  # the second time it reads only
        assert await driver.survey(()) == (wanted(),)
        assert await driver.ensure(key, None) is None
        assert await driver.survey(()) == ()
        assert await driver.ensure(key, wanted()) == wanted()  # out of the trash

    asyncio.run(scenario())


def test_an_image_file_of_another_digest_is_an_error_and_leaves_nothing(store, images):
    async def scenario() -> None:
        driver = ImageFileDriver(store, images, INSTANCE)
        with pytest.raises(DriverError, match="has digest"):
            await driver.ensure(wanted().key, wanted(b"other"))
        assert await driver.survey(()) == ()

    asyncio.run(scenario())


def test_a_seed_is_judged_by_the_files_in_it(store):
    files = (SeedFile("network", "lan 192.0.2.1/24\n"),)
    name = seed_file(UUID_OF_FW1)
    seed = Seed(name, digest(files), appliance_path("fw1"), UUID_OF_FW1, "fw1", files)

    async def scenario() -> None:
        driver = SeedDriver(store, INSTANCE)
        assert await driver.ensure(seed.key, seed) == seed
        inode = store.path(name).stat().st_ino
        assert await driver.ensure(seed.key, seed) == seed
        assert store.path(name).stat().st_ino == inode
        assert await driver.survey(()) == (seed,)
        store.path(name).chmod(0o644)
        content = store.path(name).read_bytes()
        store.path(name).write_bytes(content.replace(b"192.0.2.1", b"192.0.2.9"))
        assert (await driver.find(seed.key)).resource != seed
        assert await driver.ensure(seed.key, seed) == seed
        assert await driver.ensure(seed.key, None) is None
        assert (await driver.find(seed.key)).ownership is Ownership.ABSENT

    asyncio.run(scenario())


def test_a_file_that_cannot_be_read_is_an_error_of_its_own_and_hides_no_other(store, images):
    files = (SeedFile("network", "lan 192.0.2.1/24\n"),)
    seed = Seed(seed_file(UUID_OF_FW1), digest(files), appliance_path("fw1"), UUID_OF_FW1, "fw1", files)

    async def scenario() -> None:
        for driver, whole in ((SeedDriver(store, INSTANCE), seed), (image_driver, wanted())):
            await driver.ensure(whole.key, whole)
            folder, _, name = whole.file.split("/")
            unreadable = f"{folder}/99/{name}"
            store.path(unreadable).mkdir(parents=True)  # stands for a file on a failing disk
            key = whole.key._replace(name=unreadable)
            with pytest.raises(DriverError, match=unreadable):
                await driver.find(key)
            with pytest.raises(DriverError, match=unreadable):
                await driver.ensure(key, replace(whole, file=unreadable))
            assert await driver.survey(()) == (whole,)

    image_driver = ImageFileDriver(store, images, INSTANCE)
    asyncio.run(scenario())
