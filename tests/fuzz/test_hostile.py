"""Clients that mean no good: they connect and say nothing, or a byte at a time, or nonsense, or too much.
Others are served meanwhile, in order and in full, and nothing of the hostile ones is left."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path as File

import grpc
import pytest

from conformance.follower import Follower
from conformance.target import Target
from conformance.wire import Client, path, pb
from twinplane.services.rpc import Limits

LAN = "/virtual-switches/virtual-switch[name=lan]"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attacker = Callable[[Target], Awaitable[None]]


@contextlib.asynccontextmanager
async def connected(target: Target, *, tcp: bool = False) -> AsyncIterator[Opened]:
    """A bare connection to the listener for certificates, or to the administrator's socket."""
    if tcp:
        host, _, port = target.addresses[2].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
    else:
        reader, writer = await asyncio.open_unix_connection(target.addresses[0].removeprefix("unix:"))
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def drip(connection: Opened, data: bytes) -> None:
    """A byte at a time, and on and on, until the other side has enough."""
    _, writer = connection
    with contextlib.suppress(ConnectionError):
        while True:
            for byte in data:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.01)


async def silent_before_tls(target: Target) -> None:
    async with connected(target, tcp=True) as (reader, _):
        await reader.read()


async def silent_on_the_socket(target: Target) -> None:
    async with connected(target) as (reader, _):
        while await reader.read(1000):
            pass


async def handshake_byte_by_byte(target: Target) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    hello = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    async with connected(target, tcp=True) as connection:
        await drip(connection, outgoing.read())


async def preface_byte_by_byte(target: Target) -> None:
    async with connected(target) as connection:
        await drip(connection, PREFACE + SETTINGS)


async def no_http(target: Target) -> None:
    async with connected(target) as connection:
        await drip(connection, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


async def noise(target: Target) -> None:
    while True:
        with contextlib.suppress(ConnectionError):
            async with connected(target) as (reader, writer):
                writer.write(PREFACE + SETTINGS + os.urandom(5000))
                await writer.drain()
                await reader.read(10_000)
        await asyncio.sleep(0.05)


def field(name: bytes, value: bytes) -> bytes:
    """A header that is spelled out (RFC 7541 section 6.2.2)."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


async def message_byte_by_byte(target: Target) -> None:
    """A call whose one message of a megabyte comes at a hundred bytes a second."""
    headers = b"".join(
        field(name, value)
        for name, value in (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/gnmi.gNMI/Get"),
            (b":authority", b"localhost"),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
        )
    )
    begin = PREFACE + SETTINGS + frame(1, 4, headers) + frame(0, 0, b"\x00" + (1 << 20).to_bytes(4, "big"))
    async with connected(target) as connection:
        connection[1].write(begin)
        await drip(connection, frame(0, 0, b"\x0a"))


def frame(kind: int, flags: int, content: bytes) -> bytes:
    """A frame of the first stream (RFC 9113 section 4.1)."""
    return len(content).to_bytes(3, "big") + bytes([kind, flags, 0, 0, 0, 1]) + content


async def silent_streams(target: Target) -> None:
    """A thousand streams on one channel that never say what they want."""
    client = target.mutual("operator")
    streams = [client.stream() for _ in range(1000)]
    try:
        await asyncio.gather(*(stream.status() for stream in streams), return_exceptions=True)
    finally:
        for stream in streams:
            stream.call.cancel()


async def great_messages(target: Target) -> None:
    """More than a request may have, over and over."""
    client = target.mutual("operator")
    while True:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await client.raw("Get", b"\x12" + b"\xff" * 2_000_000)


async def greedy_reads(target: Target) -> None:
    """The whole tree through a thousand paths, and by wildcards that match everything."""
    client = target.mutual("reader")
    wild = [path("/" + "/".join("*" * depth)) for depth in range(1, 8)]
    while True:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await client.get(*wild * 20, encoding=pb.PROTO)
        with contextlib.suppress(grpc.aio.AioRpcError):
            await client.once(*(pb.Subscription(path=one) for one in wild * 20))


async def guesses(target: Target) -> None:
    """One wrong password after the other, many at a time."""
    client = Client(target.password().channel)

    async def guess(number: int) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError):
            await client.capabilities(
                (("username", "admin"), ("password", f"{number} {os.urandom(8).hex()}"))
            )

    while True:
        await asyncio.gather(*map(guess, range(100)))


ATTACKS: dict[str, tuple[Attacker, int]] = {
    "silent before TLS": (silent_before_tls, 50),
    "silent on a socket": (silent_on_the_socket, 50),
    "a handshake byte by byte": (handshake_byte_by_byte, 20),
    "a preface byte by byte": (preface_byte_by_byte, 20),
    "no HTTP/2": (no_http, 20),
    "noise": (noise, 10),
    "a message byte by byte": (message_byte_by_byte, 20),
    "a thousand silent streams": (silent_streams, 1),
    "messages that are too large": (great_messages, 2),
    "greedy reads": (greedy_reads, 2),
    "guesses": (guesses, 3),
}


@contextlib.asynccontextmanager
async def attacked(target: Target, attack: Attacker, count: int) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(attack(target)) for _ in range(count)]
    try:
        await asyncio.sleep(0.3)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ATTACKS)
def test_others_do_not_notice(folder: File, name: str) -> None:
    attack, count = ATTACKS[name]

    async def body() -> None:
        async with Target(folder, limits=Limits(write_bytes=1 << 20, streams_per_user=50)) as target:
            before = len(asyncio.all_tasks())
            async with attacked(target, attack, count):
                await served(target)
                await served(target)
            async with asyncio.timeout(30):
                while len(asyncio.all_tasks()) > before:
                    await asyncio.sleep(0.05)
            await served(target)

    asyncio.run(body())


async def served(target: Target) -> None:
    """Everybody else: each listener, each call, a stream that misses nothing."""
    admin, mutual = target.client(), target.mutual()
    async with asyncio.timeout(60), mutual.subscribe(LAN) as stream:
        follower = await Follower(stream, LAN).sync()
        for mtu in range(1400, 1410):
            await admin.set(update={f"{LAN}/config/mtu": mtu})
            assert await mutual.value(f"{LAN}/config/mtu") == mtu
            await follower.until(lambda mtu=mtu: follower.leaves.get(f"{LAN}/config/mtu") == mtu)  # type: ignore[misc]
        assert (await target.reader().capabilities()).supported_models
        known = (("username", "operator"), ("password", "operator-secret"))
        assert (await Client(admin.channel).capabilities(known)).supported_models
        await admin.set(delete=[LAN])
        await follower.until(lambda: not follower.leaves)
    await admin.channel.close()
    await mutual.channel.close()
