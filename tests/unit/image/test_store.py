"""Files of the state directory: whole or not there, put aside, restored, judged by content."""

import hashlib
import os

import pytest

from twinplane.image.source import SourceError
from twinplane.image.store import Store, StoredFile

FILE = "images/00ff/kernel"
MARK = "twinplane:3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10:/images/image[name=firewall]"
DIGEST = f"sha256:{hashlib.sha256(b'kernel').hexdigest()}"


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images-of-the-user"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(b"kernel")
    return folder


@pytest.fixture
def store(tmp_path):
    state = tmp_path / "state"
    for name in ("images", "appliances", "trash"):
        (state / name).mkdir(parents=True)
    return Store(state)


def everything(store: Store) -> list[str]:
    return sorted(str(path.relative_to(store.path(""))) for path in store.path("").rglob("*"))


EMPTY = ["appliances", "images", "trash"]


def test_a_copy_is_read_back_with_digest_size_and_mark(store, images):
    store.copy(images, "vmlinuz", FILE, DIGEST, MARK)
    assert store.read(FILE) == StoredFile(FILE, DIGEST, 6, MARK)
    assert store.names("images") == (FILE,)
    assert store.path(FILE).stat().st_mode & 0o777 == 0o444


def test_a_seed_is_for_its_owner_only(store):
    """Who that is follows at the start of its guest. The trash has owners too."""
    store.write("appliances/a/seed.iso", b"password")
    assert store.path("appliances/a/seed.iso").stat().st_mode & 0o777 == 0o400
    assert store.owners() == {os.geteuid()}
    store.set_aside("appliances/a/seed.iso")
    assert store.owners() == {os.geteuid()}
    store.empty_trash()
    assert store.owners() == set()


def test_another_digest_leaves_nothing(store, images):
    with pytest.raises(SourceError, match="has digest"):
        store.copy(images, "vmlinuz", FILE, "sha256:" + "0" * 64, MARK)
    assert store.names("images") == ()
    store.sweep()
    assert everything(store) == EMPTY


def test_a_noted_file_is_not_read_again_and_a_changed_one_is(store, images):
    store.copy(images, "vmlinuz", FILE, DIGEST, MARK)
    path = store.path(FILE)
    status = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"KERNEL")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # nobody could tell by looking
    assert store.read(FILE) == StoredFile(FILE, DIGEST, 6, MARK)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    changed = store.read(FILE)
    assert changed is not None
    assert changed.digest == f"sha256:{hashlib.sha256(b'KERNEL').hexdigest()}"


def test_what_is_put_aside_comes_back_with_what_was_noted(store, images):
    store.copy(images, "vmlinuz", FILE, DIGEST, MARK)
    store.set_aside(FILE)
    assert store.read(FILE) is None
    assert not store.path("images/00ff").exists()
    assert store.restore(FILE)
    assert store.read(FILE) == StoredFile(FILE, DIGEST, 6, MARK)
    store.set_aside(FILE)
    store.empty_trash()
    assert not store.restore(FILE)
    assert everything(store) == EMPTY


def test_putting_aside_nothing_is_nothing(store):
    store.set_aside(FILE)
    assert not store.restore(FILE)
    assert everything(store) == EMPTY


def test_sweep_takes_what_a_crash_leaves_and_nothing_else(store, images):
    store.copy(images, "vmlinuz", FILE, DIGEST, MARK)
    store.path("images/00ff/.initrd.new").write_bytes(b"half")
    store.path("images/00ff/initrd.json").write_text("{}")
    store.path("images/aa").mkdir()
    store.sweep()
    assert everything(store) == sorted([*EMPTY, "images/00ff", FILE, f"{FILE}.json"])


def test_discard_takes_the_folder_with_the_last_file(store):
    store.write("appliances/u/seed.iso", b"x")
    store.write("appliances/u/console.log", b"y")
    store.discard("appliances/u/console.log")
    store.discard("appliances/u/console.log")
    assert store.names("appliances") == ("appliances/u/seed.iso",)
    store.discard("appliances/u/seed.iso")
    assert everything(store) == EMPTY
