"""TLS, Unix sockets, who is let in, health and reflection: real listeners, real handshakes."""

import asyncio
import datetime
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path as File

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from doubles.certificate import CLIENT, SERVER, certified
from service.double import Memory, memory, serving
from twinplane.errors import StartError
from twinplane.identity import certificates, upkeep
from twinplane.identity.host_name import Names
from twinplane.identity.role import Role
from twinplane.identity.user import revoke, set_user
from twinplane.services.server import SocketListener, TcpListener
from twinplane.services.tls import TlsFiles
from twinplane_client import AsyncClient, Target
from twinplane_client import errors as client_errors

NAMES = Names(("localhost",), (ip_address("127.0.0.1"),))
MTU = "/virtual-switches/virtual-switch[name=lan]/config/mtu"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def tls(tmp_path: File) -> File:
    folder = tmp_path / "tls"
    upkeep.ensure(folder, NAMES, now(), clients=("admin", "reader", "stranger"))
    set_user(tmp_path / "users.toml", "admin", Role.ADMIN, "right")
    set_user(tmp_path / "users.toml", "reader", Role.READ_ONLY)
    return folder


def files(tls: File, *, mutual: bool = True) -> TlsFiles:
    return TlsFiles(tls / "server.pem", tls / "server.key", tls / "ca.pem" if mutual else None)


@asynccontextmanager
async def tcp(tls: File, *, mutual: bool = True) -> AsyncIterator[tuple[Target, Memory]]:
    target = memory()
    listener = TcpListener("127.0.0.1:0", files(tls, mutual=mutual))
    async with serving(tls.parent, target, (listener,)) as (_, _, address):
        client = Target(address, ca=tls / "ca.pem", timeout=20)
        if mutual:
            client = replace(client, certificate=tls / "admin.pem", key=tls / "admin.key")
        yield client, target


def as_user(target: Target, tls: File, name: str) -> Target:
    return replace(target, certificate=tls / f"{name}.pem", key=tls / f"{name}.key")


def test_mutual_tls_tells_users_apart(tls: File) -> None:
    """[AUTH-03, AUTH-05..08, A-24]"""

    async def body() -> None:
        async with tcp(tls) as (target, behind):
            async with AsyncClient(target) as admin:
                await admin.set(update={MTU: 1400})
            assert behind.requests[-1].author == "admin"
            assert behind.requests[-1].peer.startswith("ipv4:127.0.0.1:")
            async with AsyncClient(as_user(target, tls, "reader")) as reader:
                assert (await reader.get(MTU))[0].updates[0].value == 1400
                with pytest.raises(client_errors.PermissionDeniedError, match="reader is read-only"):
                    await reader.set(update={MTU: 1450})
            async with AsyncClient(as_user(target, tls, "stranger")) as stranger:
                with pytest.raises(client_errors.PermissionDeniedError, match="stranger"):
                    await stranger.capabilities()
            async with AsyncClient(replace(target, username="admin", password="right")) as both:
                await both.get(MTU)
            async with AsyncClient(replace(target, username="admin", password="wrong")) as wrong:
                with pytest.raises(client_errors.UnauthenticatedError):
                    await wrong.set(update={MTU: 1450})
            async with AsyncClient(replace(target, username="reader")) as other:
                with pytest.raises(client_errors.PermissionDeniedError):
                    await other.get(MTU)
            assert len(behind.requests) == 1

    asyncio.run(body())


def test_a_foreign_or_absent_certificate_ends_in_the_handshake(tls: File, tmp_path: File) -> None:
    """[AUTH-01, AUTH-03]"""

    async def body() -> None:
        elsewhere = tmp_path / "elsewhere"
        upkeep.ensure(elsewhere, NAMES, now())
        async with tcp(tls) as (target, _):
            for bad in (as_user(target, elsewhere, "admin"), replace(target, certificate=None, key=None)):
                async with AsyncClient(bad) as client:
                    with pytest.raises(client_errors.UnavailableError):
                        await client.capabilities()
            async with grpc.aio.insecure_channel(target.address) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await channel.unary_unary("/gnmi.gNMI/Capabilities")(b"", timeout=20)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            async with AsyncClient(target) as client:
                await client.capabilities()

    asyncio.run(body())


def test_a_password_listener(tls: File) -> None:
    """[AUTH-05..07]"""

    async def body() -> None:
        async with tcp(tls, mutual=False) as (target, _):
            async with AsyncClient(replace(target, username="admin", password="right")) as client:
                await client.capabilities()
            for name, password in (("", ""), ("admin", ""), ("admin", "wrong"), ("nobody", "right")):
                async with AsyncClient(replace(target, username=name, password=password)) as client:
                    with pytest.raises(client_errors.UnauthenticatedError):
                        await client.capabilities()

    asyncio.run(body())


def test_certificates_rotate_under_open_connections(tls: File) -> None:
    """[AUTH-04]"""

    def served(port: int) -> int:
        import ssl

        context = ssl.create_default_context(cafile=str(tls / "ca.pem"))
        context.load_cert_chain(tls / "admin.pem", tls / "admin.key")
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            encoded = secure.getpeercert(binary_form=True)
        assert encoded is not None
        return x509.load_der_x509_certificate(encoded).serial_number

    async def body() -> None:
        async with tcp(tls) as (target, _), AsyncClient(target) as client:
            await client.capabilities()
            port = int(target.address.rpartition(":")[2])
            first = await asyncio.to_thread(served, port)
            # In the middle of a rotation, with a key that does not fit, the old pair stays in use.
            key = (tls / "server.key").read_bytes()
            (tls / "server.key").write_bytes((tls / "admin.key").read_bytes())
            assert await asyncio.to_thread(served, port) == first
            (tls / "server.key").write_bytes(key)
            more = Names(("localhost", "other"), NAMES.addresses)
            assert upkeep.ensure(tls, more, now(), clients=()).written
            second = await asyncio.to_thread(served, port)
            assert second != first
            await client.capabilities()

    asyncio.run(body())


def test_sockets_have_a_mode_and_a_role(tmp_path: File) -> None:
    async def body() -> None:
        target = memory()
        before = os.umask(0o022)
        os.umask(before)
        async with serving(tmp_path, target) as (admin, read):
            assert stat.S_IMODE((tmp_path / "admin.sock").stat().st_mode) == 0o600
            assert stat.S_IMODE((tmp_path / "read.sock").stat().st_mode) & 0o007 == 0
            async with AsyncClient(Target(admin)) as client:
                await client.set(update={MTU: 1400})
            async with AsyncClient(Target(read)) as client:
                assert (await client.get(MTU))[0].updates[0].value == 1400
                with pytest.raises(client_errors.PermissionDeniedError):
                    await client.set(update={MTU: 1450})
        assert not (tmp_path / "admin.sock").exists()
        after = os.umask(before)
        assert after == before

    asyncio.run(body())


def test_health_and_reflection(tmp_path: File) -> None:
    """[AUTH-11]"""

    async def body() -> None:
        async with serving(tmp_path, memory()) as (admin, _), grpc.aio.insecure_channel(admin) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in ("", "gnmi.gNMI"):
                answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
            reflected = reflection_pb2_grpc.ServerReflectionStub(channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            async for answer in reflected.ServerReflectionInfo(iter((request,))):
                names = [service.name for service in answer.list_services_response.service]
            assert "gnmi.gNMI" in names
            assert "grpc.health.v1.Health" in names

    asyncio.run(body())


def test_what_cannot_be_listened_on_is_one_clear_line(tls: File, tmp_path: File) -> None:
    async def refused(listener: TcpListener | SocketListener, message: str) -> None:
        with pytest.raises(StartError, match=message):
            async with serving(tmp_path, memory(), (listener,)):
                pass

    async def body() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            await refused(TcpListener(address, files(tls)), "in use")
        await refused(
            TcpListener("127.0.0.1:0", replace(files(tls), certificate=tls / "no.pem")),
            "No such file",
        )
        await refused(
            TcpListener("127.0.0.1:0", replace(files(tls), key=tls / "admin.key")), "is not the key of"
        )
        await refused(SocketListener(tmp_path / ("x" * 120), Role.ADMIN), "shorten it")
        await refused(SocketListener(tmp_path / "no" / "x.sock", Role.ADMIN), "cannot make the socket")

    asyncio.run(body())


def test_a_second_server_does_not_share_the_port(tls: File) -> None:
    async def body() -> None:
        async with tcp(tls) as (target, _):
            with pytest.raises(StartError, match="in use"):
                async with serving(tls.parent / "tls", memory(), (TcpListener(target.address, files(tls)),)):
                    pass

    asyncio.run(body())


def test_who_is_not_let_in_learns_nothing_from_health_and_reflection(tls: File) -> None:
    async def asked(target: Target, metadata: tuple[tuple[str, str], ...] = ()) -> list[grpc.StatusCode]:
        root = (tls / "ca.pem").read_bytes()
        pair = (None, None)
        if target.certificate is not None and target.key is not None:
            pair = (File(target.key).read_bytes(), File(target.certificate).read_bytes())
        credentials = grpc.ssl_channel_credentials(root, *pair)
        codes = []
        async with grpc.aio.secure_channel(target.address, credentials) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            reflected = reflection_pb2_grpc.ServerReflectionStub(channel)
            check = health.Check(health_pb2.HealthCheckRequest(), timeout=20, metadata=metadata)
            watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=20, metadata=metadata)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            info = reflected.ServerReflectionInfo(iter((request,)), timeout=20, metadata=metadata)
            for call in (check, watch, info):
                try:
                    await (call if call is check else call.read())
                    codes.append(grpc.StatusCode.OK)
                except grpc.aio.AioRpcError as error:
                    codes.append(error.code())
        return codes

    async def body() -> None:
        good, denied = [grpc.StatusCode.OK] * 3, [grpc.StatusCode.PERMISSION_DENIED] * 3
        unknown = [grpc.StatusCode.UNAUTHENTICATED] * 3
        revoke(tls.parent / "users.toml", certificates.serial_number((tls / "reader.pem").read_bytes()))
        async with tcp(tls) as (target, _):
            assert await asked(target) == good
            assert await asked(as_user(target, tls, "stranger")) == denied
            assert await asked(as_user(target, tls, "reader")) == unknown
        async with tcp(tls, mutual=False) as (target, _):
            assert await asked(target) == unknown
            assert await asked(target, (("username", "admin"), ("password", "right"))) == good

    asyncio.run(body())


def test_only_a_client_s_own_certificate_that_our_authority_issued_itself_is_let_in(tls: File) -> None:
    ours = certificates.read_authority(tls)
    middle = certified(ours, "middle", ca=True)
    closed = certified(ours, "closed", ca=True, length=0)
    client = certified(ours, "reader", purposes=(CLIENT,))
    in_handshake, denied = client_errors.UnavailableError, client_errors.UnauthenticatedError
    cases = {
        "issued for clients": ((client,), None),
        "without a purpose": ((certified(ours, "admin"),), None),
        "past pathlen:0": ((certified(middle, "admin"), middle), denied),
        "past pathlen:0 twice": ((certified(closed, "admin"), closed), denied),
        "signed by a client": ((certified(client, "admin"), client), in_handshake),
        "an authority": ((certified(ours, "admin", ca=True),), denied),
        "an authority for clients": ((certified(ours, "admin", ca=True, purposes=(CLIENT,)),), denied),
        "for servers": ((certified(ours, "admin", purposes=(SERVER,)),), in_handshake),
        "expired": ((certified(ours, "admin", end=-1),), in_handshake),
        "not valid yet": ((certified(ours, "admin", begin=1),), in_handshake),
    }

    async def body() -> None:
        async with tcp(tls) as (target, _):
            for name, (chain, error) in cases.items():
                (tls / "tried.pem").write_bytes(b"".join(one.certificate_pem for one in chain))
                (tls / "tried.key").write_bytes(chain[0].key_pem)
                async with AsyncClient(as_user(target, tls, "tried")) as tried:
                    if error is None:
                        await tried.capabilities()
                        continue
                    with pytest.raises(error) as caught:
                        await tried.capabilities()
                    shown = str(caught.value)
                    assert error is in_handshake or "CA:FALSE" in shown or "path length" in shown, (
                        name,
                        shown,
                    )
            async with AsyncClient(as_user(target, tls, "server")) as server:
                with pytest.raises(in_handshake):
                    await server.capabilities()

    asyncio.run(body())
