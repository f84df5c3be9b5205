"""Transport, authentication and authorisation (AUTH)."""

import asyncio
import datetime
import shutil
import socket
import ssl
from pathlib import Path as File

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from conformance.conftest import NAMES
from conformance.refusal import refused
from conformance.target import Target
from conformance.wire import Client, ext, ietf, leaves, path, pb, update
from twinplane.identity import certificates, issue, upkeep
from twinplane.identity.file import write_private
from twinplane.identity.role import Access, Role
from twinplane.identity.rule import Rule
from twinplane.identity.user import remove_user, revoke, set_user
from twinplane.settings import Settings, TlsMode
from twinplane_wire.path import parse

Code = grpc.StatusCode
LAN = "/virtual-switches/virtual-switch[name=lan]"
MTU = f"{LAN}/config/mtu"
SETTINGS = "/samples/settings/config"


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.mark.row("AUTH-01")
async def test_cleartext_gets_nowhere(target: Target) -> None:
    for address in target.addresses[2:]:
        channel = grpc.aio.insecure_channel(address)
        try:
            call = Client(channel, (("username", "admin"), ("password", "admin-secret"))).capabilities()
            await refused(call, Code.UNAVAILABLE)
        finally:
            await channel.close()
        # Cleartext HTTP/2 is answered by the end of the connection or a TLS alert, never by HTTP/2.
        reader, writer = await asyncio.open_connection(*address.rsplit(":", 1))
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        assert answer[:1] in (b"", b"\x15"), answer


def handshake(address: str, authority: File, version: ssl.TLSVersion) -> str:
    """The version that a handshake with nothing but this version ends in. Raises SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority)
    context.set_alpn_protocols(["h2"])
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else the client itself would not offer the old ones
    context.minimum_version = context.maximum_version = version
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.version() or ""


def old_server(tls: File) -> ssl.SSLContext:
    """A server that takes any version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.load_cert_chain(tls / "server.pem", tls / "server.key")
    return context


@pytest.mark.row("AUTH-02")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_tls_1_2_is_the_floor(target: Target) -> None:
    address, authority = target.addresses[3], target.folder / "tls/ca.pem"
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        assert await asyncio.to_thread(handshake, address, authority, version) == name
    old = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=old_server(target.folder / "tls"))
    async with old:
        willing = f"127.0.0.1:{old.sockets[0].getsockname()[1]}"
        for version, name in ((ssl.TLSVersion.TLSv1, "TLSv1"), (ssl.TLSVersion.TLSv1_1, "TLSv1.1")):
            # This client can: a server that is willing gets there with it.
            assert await asyncio.to_thread(handshake, willing, authority, version) == name
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await asyncio.to_thread(handshake, address, authority, version)


@pytest.mark.row("AUTH-03")
async def test_only_certificates_of_our_authority_pass_the_handshake(target: Target) -> None:
    tls = target.folder / "tls"
    assert (await target.mutual().capabilities()).gNMI_version
    await refused(target.mutual(None).capabilities(), Code.UNAVAILABLE)
    ours = certificates.read_authority(tls)
    past = now() - datetime.timedelta(days=800)
    pairs = {
        "expired": issue.issue_client(ours, "admin", past),
        "foreign": issue.issue_client(issue.issue_authority(now()), "admin", now()),
        # An authority that only calls itself like ours.
        "namesake": issue.issue_client(issue.issue_authority(now()), "admin", now()),
    }
    for name, pair in pairs.items():
        write_private(tls / f"{name}.pem", pair.certificate_pem)
        write_private(tls / f"{name}.key", pair.key_pem)
        await refused(target.mutual(name).capabilities(), Code.UNAVAILABLE)
    # The server's own certificate is of our authority, but not for clients.
    await refused(target.mutual("server").capabilities(), Code.UNAVAILABLE)
    assert Settings().listen.mode is TlsMode.MUTUAL


def serial(address: str, tls: File) -> int:
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=tls / "ca.pem")
    context.load_cert_chain(tls / "admin.pem", tls / "admin.key")
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        shown = secured.getpeercert()
        assert shown is not None
        return int(str(shown["serialNumber"]), 16)


@pytest.mark.row("AUTH-04")
async def test_certificates_rotate_while_a_stream_runs(target: Target) -> None:
    tls = target.folder / "tls"
    first = target.mutual()
    async with first.subscribe(f"{LAN}/config") as stream:
        await stream.until_sync()
        before = await asyncio.to_thread(serial, target.addresses[2], tls)
        # Another authority, with new certificates below it, takes the place of everything.
        old = target.folder / "old"
        shutil.copytree(tls, old)
        for file in tls.iterdir():
            file.unlink()
        upkeep.ensure(tls, NAMES, now())
        after = await asyncio.to_thread(serial, target.addresses[2], tls)
        assert before != after
        await target.mutual().set(update={MTU: 1400})
        changed = await stream.notification()
        assert leaves([changed])[MTU] == 1400
        # Who has a certificate of the old authority gets no new connection.
        shutil.copy(old / "admin.pem", tls / "late.pem")
        shutil.copy(old / "admin.key", tls / "late.key")
        await refused(target.mutual("late").capabilities(), Code.UNAVAILABLE)
        await first.set(update={MTU: 1300})
        assert leaves([await stream.notification()])[MTU] == 1300


@pytest.mark.row("AUTH-04")
async def test_a_half_done_rotation_changes_nothing(target: Target) -> None:
    tls = target.folder / "tls"
    before = await asyncio.to_thread(serial, target.addresses[2], tls)
    fresh = issue.issue_server(certificates.read_authority(tls), NAMES, now())
    write_private(tls / "server.key", fresh.key_pem)
    assert await asyncio.to_thread(serial, target.addresses[2], tls) == before
    write_private(tls / "server.pem", fresh.certificate_pem)
    assert await asyncio.to_thread(serial, target.addresses[2], tls) == fresh.certificate.serial_number


@pytest.mark.row("AUTH-05")
async def test_credentials_are_read_from_each_call(target: Target) -> None:
    right = (("username", "admin"), ("password", "admin-secret"))
    client = Client(target.password().channel)
    assert (await client.capabilities(right)).gNMI_version
    assert await client.get("/samples", metadata=right)
    await client.set(update={MTU: 1400}, metadata=right)
    stream = client.stream(right)
    async with stream:
        await stream.send(b"")
        assert await stream.status() is Code.INVALID_ARGUMENT, "let in, and then told what is wrong"
    for metadata in (
        (),
        (("username", "admin"),),
        (("password", "admin-secret"),),
        (("user", "admin"), right[1]),
    ):
        await refused(client.capabilities(metadata), Code.UNAUTHENTICATED)
        await refused(client.get("/samples", metadata=metadata), Code.UNAUTHENTICATED)
        await refused(client.set(metadata=metadata), Code.UNAUTHENTICATED)
        async with client.stream(metadata) as stream:
            assert await stream.status() is Code.UNAUTHENTICATED


@pytest.mark.row("AUTH-06")
async def test_a_wrong_password_executes_nothing(target: Target) -> None:
    wrong = (("username", "admin"), ("password", "admin-secreT"))
    right = (("username", "admin"), ("password", "admin-secret"))
    for client in (target.mutual(), Client(target.password().channel), Client(target.client().channel)):
        await client.set(update={MTU: 1400}, metadata=right)
        await refused(client.set(update={MTU: 1300}, metadata=wrong), Code.UNAUTHENTICATED)
        await refused(client.set(delete=[LAN], metadata=wrong), Code.UNAUTHENTICATED)
        await refused(client.get(MTU, metadata=wrong), Code.UNAUTHENTICATED)
        assert await client.value(MTU, metadata=right) == 1400
        assert (await target.client().value(LAN))["config"] == {"name": "lan", "mtu": 1400}


@pytest.mark.row("AUTH-07")
async def test_a_name_alone_counts_only_where_the_channel_is_authenticated(target: Target) -> None:
    for user in ("reader", "admin"):
        alone = (("username", user),)
        assert await target.mutual(user).get("/samples", metadata=alone)
        await refused(Client(target.password().channel).get("/samples", metadata=alone), Code.UNAUTHENTICATED)
    await refused(target.mutual("reader").set(metadata=(("username", "reader"),)), Code.PERMISSION_DENIED)
    # The certificate is who is calling: a name may not be another one.
    other = target.mutual("reader").get("/samples", metadata=(("username", "admin"),))
    await refused(other, Code.PERMISSION_DENIED, "admin", "reader")
    # A password does not change that.
    pair = (("username", "admin"), ("password", "admin-secret"))
    await refused(target.mutual("reader").set(metadata=pair), Code.PERMISSION_DENIED)


@pytest.mark.row("AUTH-03", "AUTH-08")
async def test_a_certificate_of_nobody_here_is_denied(target: Target) -> None:
    await refused(target.mutual("stranger").capabilities(), Code.PERMISSION_DENIED, "stranger")


# What a call that is let in ends with, by kind of path: reads, then a write.
PATHS = {
    "root": ("/", Code.OK, Code.OK),
    "container": ("/virtual-switches", Code.OK, Code.OK),
    "entry": (LAN, Code.OK, Code.OK),
    "config leaf": (MTU, Code.OK, Code.OK),
    "state leaf": ("/system/state/hostname", Code.OK, Code.INVALID_ARGUMENT),
    "state container": ("/system", Code.OK, Code.OK),
    "other origin": ("fixture:/samples/settings", Code.OK, Code.OK),
    "unknown path": ("/nope", Code.INVALID_ARGUMENT, Code.INVALID_ARGUMENT),
    "unknown origin": ("foo:/samples", Code.UNIMPLEMENTED, Code.UNIMPLEMENTED),
}
CALLS = ("Capabilities", "Get", "Set", "Subscribe")
ACCESSES = {
    "reader over TLS": (lambda target: target.mutual("reader"), Role.READ_ONLY),
    "operator over TLS": (lambda target: target.mutual("operator"), Role.OPERATOR),
    "admin over TLS": (lambda target: target.mutual("admin"), Role.ADMIN),
    "reader by password": (lambda target: target.password("reader"), Role.READ_ONLY),
    "operator by password": (lambda target: target.password("operator"), Role.OPERATOR),
    "admin by password": (lambda target: target.password("admin"), Role.ADMIN),
    "readers' socket": (lambda target: target.reader(), Role.READ_ONLY),
    "administrator's socket": (lambda target: target.client(), Role.ADMIN),
    # The lower of both roles.
    "admin on the readers' socket": (
        lambda target: Client(target.reader().channel, (("username", "admin"), ("password", "admin-secret"))),
        Role.READ_ONLY,
    ),
    "reader on the administrator's socket": (
        lambda target: Client(
            target.client().channel, (("username", "reader"), ("password", "reader-secret"))
        ),
        Role.READ_ONLY,
    ),
}


async def ends_with(client: Client, call: str, where: str) -> Code:
    """The code of one call about one path."""
    try:
        match call:
            case "Capabilities":
                await client.capabilities()
            case "Get":
                await client.get(where)
            case "Set":
                await client.set(delete=[where])
            case _:
                await client.once(where)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK


@pytest.mark.row("AUTH-08")
@pytest.mark.parametrize("access", ACCESSES)
async def test_every_call_by_every_role_on_every_kind_of_path(target: Target, access: str) -> None:
    opened, role = ACCESSES[access]
    client = opened(target)
    for kind, (where, read, write) in PATHS.items():
        await target.client().set(update={MTU: 1400, "fixture:/samples/settings/config/plain": "x"})
        wanted = {"Capabilities": Code.OK, "Get": read, "Subscribe": read, "Set": write}
        if role is Role.READ_ONLY:
            wanted["Set"] = Code.PERMISSION_DENIED
        for call in CALLS:
            assert await ends_with(client, call, where) is wanted[call], (kind, call)


# Rules of the user `operator` in AUTH-09: below samples nothing, but one entry and one leaf.
RULES = (
    Rule(parse("/samples"), Access.READ),
    Rule(parse("/samples/sample[name=a]"), Access.WRITE),
    Rule(parse("/samples/settings/config/plain"), Access.WRITE),
    Rule(parse("/samples/sample[name=a]/config/uint8"), Access.READ),
    Rule(parse("fixture:/samples/sample"), Access.READ),
)


@pytest.fixture
def ruled(folder: File) -> Target:
    """A target on which `operator` has rules."""
    set_user(folder / "users.toml", "operator", Role.OPERATOR, "operator-secret", RULES)
    return Target(folder)


ALLOWED = {
    "the leaf itself": {"update": {f"{SETTINGS}/plain": "y"}},
    "through a container, nothing else touched": {"update": {SETTINGS: {"plain": "y"}}},
    "below the entry": {"update": {"/samples/sample[name=a]/config/string": "y"}},
    "the same value elsewhere": {"update": {f"{SETTINGS}/mask": 7}},
    "what no rule names": {"update": {MTU: 1300}},
    "another tree, where only entries are named": {"update": {"fixture:/samples/settings/config/plain": "y"}},
    "a delete of nothing": {"delete": ["/samples/sample[name=none]"]},
}
DENIED = {
    "a leaf": ({"update": {f"{SETTINGS}/mask": 8}}, f"{SETTINGS}/mask"),
    "another entry": (
        {"update": {"/samples/sample[name=b]/config/string": "y"}},
        "/samples/sample[name=b]/config/string",
    ),
    "a new entry": ({"update": {"/samples/sample[name=c]/config/int8": 1}}, "/samples/sample[name=c]/name"),
    "a longer rule": (
        {"update": {"/samples/sample[name=a]/config/uint8": 3}},
        "/samples/sample[name=a]/config/uint8",
    ),
    "implied by a replace": ({"replace": {SETTINGS: {"plain": "y"}}}, f"{SETTINGS}/mask"),
    "implied by a replace far above": ({"replace": {"/": {}}}, f"{SETTINGS}/mask"),
    "implied by a delete": ({"delete": ["/samples/settings"]}, f"{SETTINGS}/mask"),
    "implied by a wildcard": (
        {"delete": ["/samples/sample[name=*]"]},
        "/samples/sample[name=b]/config/string",
    ),
    "implied by the entry": (
        {"delete": ["/samples/sample[name=a]"]},
        "/samples/sample[name=a]/config/uint8",
    ),
    "implied by another case of a choice": (
        {"update": {"/samples/settings/file-name": "y"}},
        "/samples/settings/tcp-port",
    ),
    "hidden among allowed ones": (
        {"update": {f"{SETTINGS}/plain": "y", f"{SETTINGS}/mask": 8}},
        f"{SETTINGS}/mask",
    ),
    "in another tree": (
        {"update": {"fixture:/samples/sample[name=a]/config/string": "y"}},
        "fixture:/samples/sample[name=a]/config/string",
    ),
    "through an alias of the module": (
        {"update": {"/openconfig-fixture:samples/settings/config/mask": 8}},
        f"{SETTINGS}/mask",
    ),
}


async def furnished(target: Target) -> None:
    await target.client().set(
        update={
            SETTINGS: {"plain": "x", "mask": 7},
            "/samples/settings/tcp-port": 8080,
            "/samples/sample[name=a]/config": {"string": "x", "uint8": 1},
            "/samples/sample[name=b]/config/string": "x",
            "fixture:/samples/sample[name=a]/config/string": "x",
            MTU: 1400,
        }
    )


async def everything(target: Target) -> list[object]:
    return [await target.client().value(origin, type="CONFIG") for origin in ("/", "fixture:/")]


@pytest.mark.row("AUTH-09")
@pytest.mark.parametrize("case", ALLOWED)
async def test_what_a_user_may_write_is_written(ruled: Target, case: str) -> None:
    await furnished(ruled)
    await ruled.mutual("operator").set(**ALLOWED[case])  # type: ignore[arg-type]


@pytest.mark.row("AUTH-09")
@pytest.mark.parametrize("case", DENIED)
async def test_a_write_that_touches_what_the_user_may_not_is_refused_as_a_whole(
    ruled: Target, case: str
) -> None:
    await furnished(ruled)
    request, path_named = DENIED[case]
    before = await everything(ruled)
    refusal = await refused(ruled.mutual("operator").set(**request), Code.PERMISSION_DENIED)  # type: ignore[arg-type]
    assert path_named in [field for field, _ in refusal.violations]
    assert await everything(ruled) == before
    await ruled.mutual("admin").set(**request)  # type: ignore[arg-type]
    assert await everything(ruled) != before


@pytest.mark.row("AUTH-09")
async def test_the_annotation_belongs_to_the_root(folder: File) -> None:
    """Also where nothing else changes; who sends back what is there changes nothing."""
    rules = (Rule(parse("/"), Access.READ), Rule(parse("/samples"), Access.WRITE))
    set_user(folder / "users.toml", "operator", Role.OPERATOR, "operator-secret", rules)
    mine, others = ({"@": {"openconfig-metadata:protobuf-metadata": text}} for text in ("bWluZQ==", "b3Ro"))
    async with Target(folder) as target:
        operator = target.mutual("operator")
        await target.client().set(update={"/": others})
        for request in ({"update": {"/": mine}}, {"replace": {"/": {}}}, {"delete": ["/"]}):
            refusal = await refused(operator.set(**request), Code.PERMISSION_DENIED)  # type: ignore[arg-type]
            assert [field for field, _ in refusal.violations] == ["/@"]
        await operator.set(update={"/": others, f"{SETTINGS}/plain": "x"})
        assert (await target.client().value("/", type=pb.GetRequest.CONFIG))["@"] == others["@"]


@pytest.mark.row("AUTH-09")
async def test_the_order_of_entries_is_a_part_of_what_is_written(ruled: Target) -> None:
    queue = "/samples/sample[name=b]/queue"
    items = [{"id": "aa", "amount": "1.0"}, {"id": "bb", "amount": "2.0"}]
    await ruled.client().set(replace={queue: {"item": items}})
    turned = {queue: {"item": items[::-1]}}
    await refused(ruled.mutual("operator").set(replace=turned), Code.PERMISSION_DENIED)
    assert (await ruled.client().value(queue))["item"][0]["id"] == "aa"


@pytest.mark.row("AUTH-10")
@pytest.mark.parametrize("how", ["removed", "role", "rules", "password", "revoked"])
async def test_a_stream_ends_with_the_authorisation_of_its_user(target: Target, how: str) -> None:
    users = target.folder / "users.toml"
    mine, others = target.mutual("operator"), target.mutual("reader")
    async with (
        mine.subscribe(LAN) as stream,
        others.subscribe(LAN) as other,
        target.client().subscribe(LAN) as local,
    ):
        for one in (stream, other, local):
            await one.until_sync()
        match how:
            case "removed":
                remove_user(users, "operator")
            case "role":
                set_user(users, "operator", Role.READ_ONLY, "operator-secret")
            case "rules":
                set_user(users, "operator", Role.OPERATOR, "operator-secret", RULES)
            case "password":
                set_user(users, "operator", Role.OPERATOR, "another")
            case _:
                pem = (target.folder / "tls/operator.pem").read_bytes()
                revoke(users, certificates.serial_number(pem))
        target.users.reload()
        assert await stream.status() is Code.UNAUTHENTICATED
        await target.client().set(update={MTU: 1400})
        for one in (other, local):
            assert leaves([await one.notification()])[MTU] == 1400
    wanted = {
        "removed": Code.PERMISSION_DENIED,
        "role": Code.PERMISSION_DENIED,
        "rules": Code.PERMISSION_DENIED,
        "password": Code.OK,
        "revoked": Code.UNAUTHENTICATED,
    }
    assert await ends_with_set(mine) is wanted[how]
    assert await ends_with(target.mutual("reader"), "Get", LAN) is Code.OK


async def ends_with_set(client: Client) -> Code:
    try:
        await client.set(update={f"{SETTINGS}/mask": 9})
    except grpc.aio.AioRpcError as error:
        return error.code()
    return Code.OK


@pytest.mark.row("AUTH-10")
async def test_reading_the_same_users_again_ends_nothing(target: Target) -> None:
    async with target.mutual("operator").subscribe(LAN) as stream:
        await stream.until_sync()
        target.users.reload()
        set_user(target.folder / "users.toml", "newcomer", Role.ADMIN)
        target.users.reload()
        await target.client().set(update={MTU: 1400})
        assert leaves([await stream.notification()])[MTU] == 1400


@pytest.mark.row("AUTH-10")
async def test_a_once_that_waits_for_its_reader_and_a_poll_end_too(target: Target) -> None:
    client = target.mutual("operator")
    async with client.subscribe(LAN, mode="POLL") as stream:
        await stream.until_sync()
        remove_user(target.folder / "users.toml", "operator")
        target.users.reload()
        assert await stream.status() is Code.UNAUTHENTICATED


@pytest.mark.row("AUTH-11")
async def test_reflection_names_the_service_on_the_one_port(target: Target) -> None:
    async def listed(client: Client) -> list[str]:
        stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter((request,)), timeout=20, metadata=client.metadata)
        async for answer in call:
            return [service.name for service in answer.list_services_response.service]
        return []

    for client in (target.mutual(), target.password(), target.client()):
        assert "gnmi.gNMI" in await listed(client)
    client = target.mutual()
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="gnmi.gNMI")
    async for answer in stub.ServerReflectionInfo(iter((request,)), timeout=20):
        assert answer.file_descriptor_response.file_descriptor_proto
        break
    for call in CALLS:
        assert await ends_with(client, call, "/samples") is Code.OK, call
    assert all(address.endswith(":9339") for address in Settings().listen.addresses)


@pytest.mark.row("AUTH-12")
async def test_a_hundred_idle_streams_hold_up_nobody(target: Target) -> None:
    clients = [target.mutual(user) for user in ("admin", "operator", "reader")]
    clients += [target.password(user) for user in ("admin", "operator", "reader")]
    await target.client().set(update={MTU: 1300})
    streams = [clients[number % len(clients)].subscribe(MTU) for number in range(120)]
    try:
        for stream in streams:
            await stream.__aenter__()
        for stream in streams:
            assert leaves(await stream.until_sync())[MTU] == 1300
        async with asyncio.timeout(10):
            for client in (target.mutual("operator"), clients[0]):
                assert (await client.capabilities()).gNMI_version
                assert await client.value(MTU) == 1300
            await target.mutual("operator").set(update=[update(path(MTU), ietf(1400))])
        for stream in streams:
            assert leaves([await stream.notification()])[MTU] == 1400
    finally:
        for stream in streams:
            await stream.__aexit__(None, None, None)


@pytest.mark.row("AUTH-09")
@pytest.mark.parametrize("action", ["confirm", "cancel", "set_rollback_duration"])
async def test_the_end_of_a_commit_is_for_who_may_write_what_it_changed(ruled: Target, action: str) -> None:
    def extension(**fields: object) -> ext.Extension:
        return ext.Extension(commit=ext.Commit(id="c1", **fields))  # type: ignore[arg-type]

    await furnished(ruled)
    opened = extension(commit=ext.CommitRequest())
    await ruled.mutual("admin").set(update={f"{SETTINGS}/mask": 8}, extension=[opened])
    ends = {
        "confirm": extension(confirm=ext.CommitConfirm()),
        "cancel": extension(cancel=ext.CommitCancel()),
        "set_rollback_duration": extension(
            set_rollback_duration=ext.CommitSetRollbackDuration(rollback_duration={"seconds": 900})
        ),
    }
    await refused(ruled.mutual("operator").set(extension=[ends[action]]), Code.PERMISSION_DENIED)
    assert ruled.transactor.waiting == "c1"
    assert await ruled.client().value(f"{SETTINGS}/mask") == 8
    await ruled.mutual("admin").set(extension=[ends[action]])
    assert await ruled.client().value(f"{SETTINGS}/mask") == (7 if action == "cancel" else 8)
