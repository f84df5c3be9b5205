"""Paths with characters that mean something in a URI: they work, or are refused before anything is made."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl

import grpc
import pytest

from twinplane.errors import StartError
from twinplane.hypervisor.root import EmbeddedRoot
from twinplane.identity.role import Role
from twinplane.schema.compile import load_schema
from twinplane.services.rpc import Limits
from twinplane.services.server import Server, SocketListener
from twinplane.services.standard import Standard
from twinplane.state_dir import StateDir, check_place
from twinplane_client import Target

YANG = Path(__file__).parents[2] / "yang"
USABLE = (" ", "#", "?", ";", "&", "%", "%41", "+", "@", ":", "é", "'", '"', "<", "\\", "[", "$", "*", "~")
REFUSED = (",", "=", "\n", "\t", "\x7f", "\udcff")


@pytest.fixture
def short():
    """A short path: those of pytest are too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="tp", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("character", USABLE)
def test_libvirt_reads_the_root_that_is_meant(character):
    path = Path(f"/tmp/a{character}b")
    uri = EmbeddedRoot(path, "root", 0).uri
    assert uri.isascii()
    assert not set(uri) & set(" #;&+")
    assert parse_qsl(uri.partition("?")[2]) == [("root", str(path))]


@pytest.mark.parametrize("character", USABLE)
def test_a_state_directory_may_have_it(short, character):
    root = short / f"a{character}b"
    check_place(root)
    with StateDir(root) as state:
        assert state.root == root
    assert [entry.name for entry in short.iterdir()] == [root.name]


@pytest.mark.parametrize("character", REFUSED)
def test_what_qemu_or_xml_cannot_take_is_refused_before_anything_is_made(short, character):
    root = short / f"a{character}b"
    for attempt in (check_place, StateDir):
        with pytest.raises(
            StartError, match=r"has the character .* choose another agent\.state_dir"
        ) as refusal:
            attempt(root)
        assert repr(character) in str(refusal.value)
        assert str(refusal.value).isprintable()
    assert list(short.iterdir()) == []


@pytest.mark.parametrize("character", USABLE)
def test_a_socket_is_made_and_found_where_it_is_meant(short, character):
    asyncio.run(find_socket(short, character))


async def find_socket(short, character):
    folder = short / f"a{character}b"
    folder.mkdir()
    server = Server(
        [SocketListener(folder / "admin.sock", Role.ADMIN)], lambda gate: (), Standard(()), Limits()
    )
    (address,) = await server.start()
    try:
        assert [entry.name for entry in folder.iterdir()] == ["admin.sock"]
        assert [entry.name for entry in short.iterdir()] == [folder.name]
        async with grpc.aio.insecure_channel(Target(address).uri) as channel, asyncio.timeout(30):
            await channel.channel_ready()
    finally:
        await server.stop(0)


def test_the_models_may_lie_anywhere_but_behind_a_colon(tmp_path):
    folder = tmp_path / "a #?;&%41=+@,é'\"<[$*~b"
    shutil.copytree(YANG, folder)
    assert load_schema(folder, None).default.modules
    with pytest.raises(StartError, match=r"has the character ':' .* choose another agent\.yang_dir"):
        load_schema(tmp_path / "a:b", None)
