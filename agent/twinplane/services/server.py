"""Listeners: TLS on TCP, cleartext on Unix sockets with one role each; who is let in on each.

gRPC does not show a handler which listener a call came through, nor who is at the other end of a Unix socket.
So each listener is a server object of its own, whose handlers know its gate.
"""

import asyncio
import errno
import grp
import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import grpc

from twinplane.errors import StartError
from twinplane.identity.role import Role
from twinplane.identity.trust import Trust
from twinplane.services.auth import Gate, Mode
from twinplane.services.rpc import Limits, Service
from twinplane.services.standard import Standard
from twinplane.services.tls import Rotation, TlsFiles

SOCKET_GROUP = "twinplane"
SOCKET_PATH_LIMIT = 107  # sun_path of struct sockaddr_un, unix(7)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TcpListener:
    """TLS on ``host:port`` (an IPv6 host in brackets; port 0 takes a free one)."""

    address: str
    tls: TlsFiles

    @property
    def gate(self) -> Gate:
        """MUTUAL where client certificates are asked for, else PASSWORD."""
        return Gate(Mode.MUTUAL if self.tls.authorities is not None else Mode.PASSWORD)


@dataclass(frozen=True, slots=True)
class SocketListener:
    """Cleartext on a Unix socket, guarded by its folder, its mode and, where it exists, its group."""

    path: Path
    role: Role
    mode: int = 0o600
    group: str = ""

    @property
    def gate(self) -> Gate:
        """SOCKET, with the role of this socket."""
        return Gate(Mode.SOCKET, self.role)


Listener = TcpListener | SocketListener
Services = Callable[[Gate], Sequence[Service]]


def local_sockets(folder: Path) -> tuple[SocketListener, ...]:
    """The two sockets every agent has: admin.sock for its owner, read.sock for the group twinplane."""
    return (
        SocketListener(folder / "admin.sock", Role.ADMIN),
        SocketListener(folder / "read.sock", Role.READ_ONLY, 0o660, SOCKET_GROUP),
    )


class Server:
    """All listeners of the agent."""

    def __init__(
        self, listeners: Sequence[Listener], services: Services, standard: Standard, limits: Limits
    ) -> None:
        """`services` makes the handlers for one gate, those of `standard` too."""
        self._listeners = tuple(listeners)
        self._services = services
        self._standard = standard
        self._limits = limits
        self._servers: list[grpc.aio.Server] = []

    async def start(self) -> tuple[str, ...]:
        """Listen; returns the address of each listener in their order, with the port that was taken.

        Raises:
            StartError: an address is in use or not ours, a socket cannot be made, a certificate not be read.
        """
        addresses: list[str] = []
        for listener in self._listeners:
            gate = listener.gate
            server = self._server(gate)
            # Kept before it is bound: stop() then frees what a later failure leaves behind.
            self._servers.append(server)
            match listener:
                case TcpListener():
                    addresses.append(_bind_tcp(server, listener, gate.trust))
                case SocketListener():
                    addresses.append(_bind_socket(server, listener))
            await server.start()
        return tuple(addresses)

    async def set_serving(self, serving: bool) -> None:
        """What the health service answers, for the agent as a whole and for each service."""
        self._standard.set_serving(serving)

    async def stop(self, grace: float) -> None:
        """Refuse new calls at once, end those that still run after `grace` seconds, remove the sockets."""
        self._standard.set_serving(False)
        await asyncio.gather(*(server.stop(grace) for server in self._servers))
        self._servers.clear()
        for listener in self._listeners:
            if isinstance(listener, SocketListener):
                try:
                    listener.path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("%s is left behind: %s", listener.path, error.strerror)

    def _server(self, gate: Gate) -> grpc.aio.Server:
        server = grpc.aio.server(options=_options(self._limits))
        server.add_generic_rpc_handlers(tuple(self._services(gate)))
        return server


def _options(limits: Limits) -> tuple[tuple[str, int], ...]:
    return (
        # Without it a second agent would silently share the port.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", max(limits.write_bytes, limits.request_bytes)),
        ("grpc.max_send_message_length", -1),
        # Who has not been authenticated takes memory too: connections are bounded, a handshake has to be
        # finished, a connection without a call is closed (its client opens another when it has one).
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_connection_idle_ms", 300_000),
        ("grpc.max_concurrent_streams", limits.streams_per_connection),
        # A peer that vanished without a word is noticed after 30 s, and its streams end.
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 10_000),  # else a minute, which outweighs the one above
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # Collectors ping idle streams; the default answer to that is to hang up.
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    )


def _bind_tcp(server: grpc.aio.Server, listener: TcpListener, trust: Trust) -> str:
    credentials = Rotation(listener.tls, trust).credentials()
    _try_address(listener.address)
    try:
        port = server.add_secure_port(listener.address, credentials)
    except RuntimeError as error:
        raise StartError(
            f"cannot listen on {listener.address}: in use, or not an address of this host; "
            "stop what uses it or set another address"
        ) from error
    return f"{listener.address.rpartition(':')[0]}:{port}"


def _try_address(address: str) -> None:
    """Raise StartError with the kernel's reason where gRPC could only say that it failed."""
    host, _, port = address.rpartition(":")
    reasons: list[OSError] = []
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, place in found:
            try:
                with socket.socket(family, kind, protocol) as attempt:
                    attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    attempt.bind(place)
            except OSError as error:
                reasons.append(error)
    except OSError as error:
        raise StartError(
            f"cannot listen on {address}: {error.strerror}; write host:port, an IPv6 host in brackets"
        ) from error
    if len(reasons) == len(found) or any(reason.errno == errno.EADDRINUSE for reason in reasons):
        raise StartError(
            f"cannot listen on {address}: {reasons[0].strerror}; stop what uses it or set another address"
        ) from reasons[0]


def _bind_socket(server: grpc.aio.Server, listener: SocketListener) -> str:
    path = str(listener.path)
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise StartError(f"the socket path {path} has more than {SOCKET_PATH_LIMIT} characters; shorten it")
    # The socket is made with the mode that the mask leaves; it must at no moment be wider than wanted.
    before = os.umask(0o177)
    try:
        listener.path.unlink(missing_ok=True)  # left by a killed agent; the state directory is locked
        server.add_insecure_port(f"unix:{quote(os.fsencode(path))}")  # a URI to gRPC
        _give_to_group(listener)
    except (RuntimeError, OSError) as error:
        raise StartError(f"cannot make the socket {path}: {error}") from error
    finally:
        os.umask(before)
    return f"unix:{path}"


def _give_to_group(listener: SocketListener) -> None:
    if listener.group:
        try:
            group = grp.getgrnam(listener.group).gr_gid
        except KeyError:
            log.info("no group %s here: %s is for its owner only", listener.group, listener.path)
            return
        os.chown(listener.path, -1, group)
    listener.path.chmod(listener.mode)
