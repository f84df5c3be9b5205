"""Certificates of this host: an authority of its own, the server's certificate, those of clients.

The folder holds ca.pem, server.pem and <user>.pem, each with its .key (0600). The first start makes them all;
later starts and a daily look renew what is past two thirds of its life, is unreadable, was signed by another
authority, or lacks a name or address that the host has by now.
"""

import datetime
import functools
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twinplane.errors import StartError
from twinplane.identity.file import write_private
from twinplane.identity.host_name import Names

AUTHORITY_LIFE = datetime.timedelta(days=3650)
LEAF_LIFE = datetime.timedelta(days=365)
RESERVED = ("ca", "server")
SKEW = datetime.timedelta(hours=1)  # a client whose clock is late still accepts a fresh certificate


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS 8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def ensure(folder: Path, names: Names, now: datetime.datetime, clients: tuple[str, ...] = ("admin",)) -> bool:
    """Bring the folder to what it should hold; True when a file was written. `now` is aware (UTC).

    An authority that is there but cannot be used is never replaced: every client trusts it.

    Raises:
        StartError: the folder cannot be written, or ca.pem has no key that fits.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _read(folder, "ca")
        if authority is None and (folder / "ca.pem").exists():
            raise StartError(
                f"{folder / 'ca.pem'} and ca.key cannot be used together: restore them, or remove both and "
                "issue every client a new certificate"
            )
        written = False
        if authority is None or _worn(authority.certificate, now):
            authority = issue_authority(now)
            _write(folder, "ca", authority)
            written = True
        server = _read(folder, "server")
        if server is None or _stale(server, authority, now) or not _covers(server.certificate, names):
            _write(folder, "server", issue_server(authority, names, now))
            written = True
        for user in clients:
            client = _read(folder, user)
            if client is None or _stale(client, authority, now):
                _write(folder, user, issue_client(authority, user, now))
                written = True
    except OSError as error:
        raise StartError(f"cannot write certificates in {folder}: {error.strerror}") from error
    return written


def issue_authority(now: datetime.datetime) -> Pair:
    """A new authority, good for 10 years, that may sign end entities only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Twinplane CA {now:%Y-%m-%d}")
    builder = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: Pair, names: Names, now: datetime.datetime) -> Pair:
    """A certificate for this host under all its names, good for a year."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names.dns]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    subject = x509.SubjectAlternativeName(alternatives)
    return _issue(authority, "twinplane", ExtendedKeyUsageOID.SERVER_AUTH, now, subject)


def issue_client(authority: Pair, user: str, now: datetime.datetime) -> Pair:
    """A certificate that names a user, good for a year."""
    return _issue(authority, user, ExtendedKeyUsageOID.CLIENT_AUTH, now, None)


def read_authority(folder: Path) -> Pair:
    """The authority of a folder that `ensure` has filled.

    Raises:
        StartError: it is not there or cannot be read.
    """
    pair = _read(folder, "ca")
    if pair is None:
        raise StartError(f"no usable ca.pem and ca.key in {folder}")
    return pair


def write_client(folder: Path, user: str, now: datetime.datetime) -> None:
    """Issue a certificate for one more user, as <user>.pem and <user>.key.

    Raises:
        StartError: the folder holds no authority or cannot be written, or the name is one of RESERVED.
    """
    if user in RESERVED:
        raise StartError(f"{user!r} cannot be a user name here: its files are taken")
    try:
        _write(folder, user, issue_client(read_authority(folder), user, now))
    except OSError as error:
        raise StartError(f"cannot write certificates in {folder}: {error.strerror}") from error


def fingerprint(certificate_pem: bytes) -> str:
    """The SHA-256 fingerprint as openssl prints it: ``AB:CD:…``."""
    digest = x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def read_certificate(file: Path) -> bytes:
    """A certificate as PEM. Raises StartError where the file cannot be read or holds none."""
    try:
        pem = file.read_bytes()
        x509.load_pem_x509_certificate(pem)
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise StartError(f"{file} is no certificate") from error
    return pem


@functools.lru_cache(maxsize=256)
def serial_number(certificate_pem: bytes) -> int:
    """The serial number of the (first) certificate. Raises ValueError where it cannot be read."""
    return x509.load_pem_x509_certificate(certificate_pem).serial_number


def belong_together(certificate_pem: bytes, key_pem: bytes) -> bool:
    """True when the key is that of the (first) certificate; False also where either cannot be read."""
    try:
        public = x509.load_pem_x509_certificate(certificate_pem).public_key()
        private = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError):
        return False
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return public.public_bytes(*form) == private.public_key().public_bytes(*form)


def _issue(
    authority: Pair,
    name: str,
    purpose: x509.ObjectIdentifier,
    now: datetime.datetime,
    names: x509.SubjectAlternativeName | None,
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _builder(issuer.subject, _name(name), key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _worn(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < begin or now >= begin + (end - begin) * 2 / 3


def _stale(pair: Pair, authority: Pair, now: datetime.datetime) -> bool:
    if _worn(pair.certificate, now):
        return True
    try:
        pair.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return True
    return False


def _covers(certificate: x509.Certificate, names: Names) -> bool:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = set(extension.get_values_for_type(x509.DNSName))
    addresses = set(extension.get_values_for_type(x509.IPAddress))
    return dns >= set(names.dns) and addresses >= set(names.addresses)


def _read(folder: Path, name: str) -> Pair | None:
    try:
        certificate_pem = (folder / f"{name}.pem").read_bytes()
        key_pem = (folder / f"{name}.key").read_bytes()
    except FileNotFoundError:
        return None
    if not belong_together(certificate_pem, key_pem):
        return None  # the agent died between the two renames: both are made anew
    key = serialization.load_pem_private_key(key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return Pair(x509.load_pem_x509_certificate(certificate_pem), key)


def _write(folder: Path, name: str, pair: Pair) -> None:
    write_private(folder / f"{name}.key", pair.key_pem)
    write_private(folder / f"{name}.pem", pair.certificate_pem, 0o644)
