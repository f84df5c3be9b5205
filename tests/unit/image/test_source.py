"""Source files: digested, never from outside the image directory."""

import hashlib
import os

import pytest

from twinplane.errors import Fault, RequestError
from twinplane.image.source import Digests, SourceError, open_source
from twinplane_wire.path import parse

PATH = parse("/images/image[name=firewall]/config/kernel-digest")


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "firewall").mkdir(parents=True)
    (folder / "firewall/vmlinuz").write_bytes(b"kernel")
    (tmp_path / "secret").write_bytes(b"secret")
    return folder


def test_a_file_is_digested_and_measured(images):
    assert Digests(images).digest("firewall/vmlinuz") == (digest(b"kernel"), 6)


def test_a_changed_file_is_read_again(images):
    digests = Digests(images)
    digests.digest("firewall/vmlinuz")
    (images / "firewall/vmlinuz").write_bytes(b"Kernel")
    assert digests.digest("firewall/vmlinuz") == (digest(b"Kernel"), 6)


@pytest.mark.parametrize("source", ["", "/etc/passwd", "../secret", "firewall/../../x", "firewall", "gone"])
def test_what_is_no_file_below_the_directory_is_refused(images, source):
    with pytest.raises(SourceError), open_source(images, source):
        pass


def test_no_symbolic_link_is_followed(images):
    (images / "link").symlink_to("../secret")
    (images / "folder").symlink_to("firewall")
    for source in ("link", "folder/vmlinuz"):
        link = source.partition("/")[0]
        with pytest.raises(SourceError, match=f"{link} is a symbolic link"), open_source(images, source):
            pass


def test_a_fifo_does_not_hold_anybody(images):
    os.mkfifo(images / "fifo")
    with pytest.raises(SourceError, match="plain file"), open_source(images, "fifo"):
        pass


def test_check_gives_the_size_of_the_right_file(images):
    assert Digests(images).check(PATH, "firewall/vmlinuz", digest(b"kernel")) == 6


@pytest.mark.parametrize("source", ["firewall/vmlinuz", "firewall/gone"])
def test_check_names_path_and_state(images, source):
    with pytest.raises(RequestError) as refused:
        Digests(images).check(PATH, source, digest(b"other"))
    (violation,) = refused.value.violations
    assert (violation.path, violation.fault) == (PATH, Fault.STATE)
    assert source in violation.constraint
