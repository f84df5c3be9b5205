"""Certificates of this host as files: ca.pem, server.pem and <user>.pem, each with its .key (0600).

A key that is there is never overwritten by the agent itself: an authority and a server's key may be the
operator's own, and whoever trusts them trusts nothing else. `upkeep.py` says what is done and reported.
"""

import datetime
import functools
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from twinplane.errors import StartError
from twinplane.identity.file import write_private, write_together
from twinplane.identity.issue import KEYS, Key, Pair, issue_client

RESERVED = ("ca", "server")


def read_authority(folder: Path) -> Pair:
    """The authority of a folder: the key, and that certificate in ca.pem which is of it.

    Raises:
        StartError: one of them is not there or cannot be read, or they do not fit; says what to do.
    """
    pem, key = folder / "ca.pem", folder / "ca.key"
    if not pem.exists():
        remedy = (
            "`twinplane-agent certificate authority renew` makes it again from ca.key"
            if key.exists()
            else ("restore it and ca.key, or start the agent once where there never was one")
        )
        raise StartError(f"{pem} is missing; {remedy}")
    if not key.exists():
        raise StartError(
            f"{key} is missing, so that no certificate can be issued; restore it, or issue them where "
            "its key is kept"
        )
    certificates, secret = read_certificates(pem), read_key(key)
    for certificate in certificates:
        if fits(certificate, secret):
            return Pair(certificate, secret)
    raise StartError(
        f"{key} is not the key of {pem}, so that no certificate can be issued; restore the one that is"
    )


def write_client(folder: Path, user: str, now: datetime.datetime) -> None:
    """Issue a certificate for one more user, as <user>.pem and <user>.key.

    Raises:
        StartError: the folder holds no authority or cannot be written, or the name is one of RESERVED.
    """
    if user in RESERVED:
        raise StartError(f"{user!r} cannot be a user name here: its files are taken")
    authority = read_authority(folder)
    end = authority.certificate.not_valid_after_utc
    if end <= now:
        raise StartError(
            f"the authority {folder / 'ca.pem'} expired on {end:%Y-%m-%d}, or the clock is wrong; set "
            "the clock, or `twinplane-agent certificate authority renew`"
        )
    try:
        write_pair(folder, user, issue_client(authority, user, now))
    except OSError as error:
        raise StartError(f"cannot write certificates in {folder}: {error.strerror}") from error


def fingerprint(certificate_pem: bytes) -> str:
    """The SHA-256 fingerprint as openssl prints it: ``AB:CD:…``."""
    digest = x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def read_certificate(file: Path) -> bytes:
    """A certificate as PEM. Raises StartError where the file cannot be read or holds none."""
    read_certificates(file)
    return file.read_bytes()


def read_certificates(file: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, at least one. Raises StartError where it cannot be read."""
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise StartError(f"{file} is not a certificate") from error


def read_key(file: Path) -> Key:
    """An unencrypted private key. Raises StartError where the file cannot be read or holds none."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}") from error
    except TypeError as error:
        raise StartError(f"{file} is encrypted; write it without a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise StartError(f"{file} is not a private key in PEM") from error
    if not isinstance(key, KEYS):
        raise StartError(f"{file} is a key of a kind that does not sign; use an elliptic curve or RSA")
    return key


@functools.lru_cache(maxsize=256)
def serial_number(certificate_pem: bytes) -> int:
    """The serial number of the (first) certificate. Raises ValueError where it cannot be read."""
    return x509.load_pem_x509_certificate(certificate_pem).serial_number


@functools.lru_cache(maxsize=256)
def user_name(certificate_pem: bytes) -> str:
    """The one common name of the (first) certificate, which may be empty or no name of a user.

    Raises:
        ValueError: it cannot be read, or has more than one or none: which of them counts would be a guess.
    """
    subject = x509.load_pem_x509_certificate(certificate_pem).subject
    found = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if len(found) != 1:
        raise ValueError(f"the certificate has {len(found)} common names, where one names the user")
    return found[0]


def belong_together(certificate_pem: bytes, key_pem: bytes) -> bool:
    """True when the key is that of the (first) certificate; False also where either cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return isinstance(key, KEYS) and fits(certificate, key)


def fits(certificate: x509.Certificate, key: Key) -> bool:
    """Whether the key is that of the certificate."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    except (ValueError, UnsupportedAlgorithm):
        return False  # a key of a kind that is not known here


def is_issued(certificate: x509.Certificate, authorities: Iterable[x509.Certificate]) -> bool:
    """Whether one of the authorities signed it."""
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return True
    return False


def common_name(name: x509.Name) -> str:
    """The common name if there is exactly one, else nothing."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def write_pair(folder: Path, name: str, pair: Pair) -> None:
    """Write both files, or none where there is no room. Raises OSError."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    write_together(((key, pair.key_pem, 0o600), (certificate, pair.certificate_pem, 0o644)))


def write_certificate(folder: Path, name: str, pair: Pair) -> None:
    """Write the certificate of a key that is there. Raises OSError."""
    write_private(folder / f"{name}.pem", pair.certificate_pem, 0o644)
