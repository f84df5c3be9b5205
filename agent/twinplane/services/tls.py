"""TLS of a listener: certificate, key and trusted authorities from files, rotated without a restart.

New connections use what the files hold at their handshake; connections that stand keep theirs.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from twinplane.errors import StartError
from twinplane.identity.certificates import belong_together
from twinplane.identity.trust import Trust

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. `authorities` are those whose clients are let in, None where clients have no certificate."""

    certificate: Path
    key: Path
    authorities: Path | None


class Rotation:
    """Reads the files again when one of them changed."""

    def __init__(self, files: TlsFiles, trust: Trust) -> None:
        """`trust` is kept to the authorities that are served."""
        self._files = files
        self._trust = trust
        self._seen = self._stamp()

    def credentials(self) -> grpc.ServerCredentials:
        """Server credentials that follow the files.

        Raises:
            StartError: a file is missing, or the key is not the certificate's.
        """
        try:
            initial = self._load()
        except OSError as error:
            raise StartError(f"cannot read {error.filename}: {error.strerror}") from error
        except ValueError as error:
            raise StartError(str(error)) from error
        return grpc.dynamic_ssl_server_credentials(
            initial, self._fetch, require_client_authentication=self._files.authorities is not None
        )

    def _fetch(self) -> Any:
        """The certificate configuration from this handshake on, None: no change. Runs in a thread of gRPC."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return None
            loaded = self._load()
        except (OSError, ValueError) as error:
            # In the middle of a rotation the two files do not fit yet: the next handshake looks again.
            log.warning("keeping the certificate in use: %s", error)
            return None
        self._seen = stamp
        log.info("serving the certificate now in %s", self._files.certificate)
        return loaded

    def _load(self) -> grpc.ServerCertificateConfiguration:
        files = self._files
        certificate, key = files.certificate.read_bytes(), files.key.read_bytes()
        if not belong_together(certificate, key):
            raise ValueError(f"{files.key} is not the key of {files.certificate}")
        authorities = files.authorities.read_bytes() if files.authorities is not None else None
        if authorities is not None:
            try:
                self._trust.follow(authorities)
            except ValueError as error:
                raise ValueError(f"{files.authorities} is not a certificate") from error
        return grpc.ssl_server_certificate_configuration([(key, certificate)], authorities)

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        paths = (self._files.certificate, self._files.key, self._files.authorities)
        stats = [path.stat() for path in paths if path is not None and path.exists()]
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)
