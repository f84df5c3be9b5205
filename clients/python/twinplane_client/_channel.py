"""Where the target is, how it is trusted, and who calls."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import grpc

from twinplane_client.errors import TwinplaneError, from_status

FilePath: TypeAlias = str | os.PathLike[str]

SERVICE = "/gnmi.gNMI/"
OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # a whole tree is larger than the default of 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # else a minute, which outweighs the one above
)
# Values of metadata (https://grpc.io/docs/guides/metadata); blanks at the ends are lost on the way.
_CREDENTIAL = re.compile(r"([!-~]([ -~]*[!-~])?)?")


@dataclass(frozen=True, slots=True)
class Target:
    """A gNMI target.

    `address` is ``host:port`` (always TLS) or ``unix:/path``. `ca` holds the authorities to trust (none:
    those of the system), `certificate` and `key` identify the caller; all three are PEM files.
    `server_name` is the name in the target's certificate where the address is another one. `timeout` is in
    seconds, for calls with one answer.

    Raises:
        ValueError: of certificate and key one is missing; a user name or password that gRPC cannot carry.
    """

    address: str
    ca: FilePath | None = None
    certificate: FilePath | None = None
    key: FilePath | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    server_name: str = ""
    timeout: float = 60.0

    def __post_init__(self) -> None:
        # gRPC would end the process.
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        if not (_CREDENTIAL.fullmatch(self.username) and _CREDENTIAL.fullmatch(self.password)):
            raise ValueError("user name and password are printable ASCII, without blanks at their ends")

    @property
    def uri(self) -> str:
        """The address as gRPC takes it: the path of a socket is read as that of a URI (RFC 3986)."""
        return f"unix:{quote(os.fsencode(self.address[5:]))}" if self.is_local else self.address

    @property
    def is_local(self) -> bool:
        """True for a Unix socket, which is served without TLS."""
        return self.address.startswith("unix:")

    def options(self) -> tuple[tuple[str, str | int], ...]:
        """The options of the channel."""
        name = (("grpc.ssl_target_name_override", self.server_name),) if self.server_name else ()
        return (*OPTIONS, *name)

    def credentials(self) -> grpc.ChannelCredentials:
        """The credentials of a TLS channel.

        Raises:
            OSError: a file cannot be read.
        """
        return grpc.ssl_channel_credentials(_read(self.ca), _read(self.key), _read(self.certificate))

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """User name and password under the keys that gNMI targets look for."""
        pairs = (("username", self.username), ("password", self.password))
        return tuple((key, value) for key, value in pairs if value)


def _read(path: FilePath | None) -> bytes | None:
    return Path(path).read_bytes() if path is not None else None


def connect(target: Target) -> grpc.Channel:
    """A blocking channel; nothing is sent before its first call.

    Raises:
        OSError: a file of the credentials cannot be read.
    """
    if target.is_local:
        return grpc.insecure_channel(target.uri, options=target.options())
    return grpc.secure_channel(target.address, target.credentials(), options=target.options())


def translated(error: Any) -> TwinplaneError:
    """The error that a call of gRPC ended with, of either kind of channel."""
    # gRPC documents that the error of a call is the call itself, which the type RpcError does not say.
    return from_status(error.code(), error.details() or "", error.trailing_metadata() or ())
