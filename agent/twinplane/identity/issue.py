"""Issuing certificates: an authority, and what it signs for this host and for clients.

What is issued is valid from the day of the authority on, so that a clock that is ahead makes nothing that a
right one would not accept; it ends a year after the latest time that is known.
"""

import datetime
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twinplane.identity.host_name import Names

AUTHORITY_LIFE = datetime.timedelta(days=3650)
LEAF_LIFE = datetime.timedelta(days=365)
SKEW = datetime.timedelta(hours=1)  # a client whose clock is late still accepts a fresh certificate
RELEASED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)  # no clock that is right is earlier
AUTHORITY_NAME = "Twinplane CA"
SERVER_NAME = "twinplane"

Key: TypeAlias = (
    ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)
KEYS = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: Key

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


def issue_authority(now: datetime.datetime, key: Key | None = None, name: x509.Name | None = None) -> Pair:
    """An authority, good for 10 years, that may sign end entities only. With the key and the name of an
    earlier one it takes that one's place: what that one signed stays good.

    It begins with this version, not with the clock, which may be wrong at a first start: what it signs is
    good for the right time as well.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = name or _name(f"{AUTHORITY_NAME} {now:%Y-%m-%d}")
    begin = min(now, RELEASED)
    builder = (
        _builder(name, name, key, begin - SKEW, max(now, RELEASED) + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
    )
    return Pair(builder.sign(key, _digest(key)), key)


def issue_server(authority: Pair, names: Names, now: datetime.datetime, key: Key | None = None) -> Pair:
    """A certificate for this host under all its names, good for a year; of a new key, or that given."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names.dns]
    alternatives += [x509.IPAddress(address) for address in names.addresses]
    subject = x509.SubjectAlternativeName(alternatives)
    return _issue(authority, SERVER_NAME, ExtendedKeyUsageOID.SERVER_AUTH, now, subject, key)


def issue_client(authority: Pair, user: str, now: datetime.datetime) -> Pair:
    """A certificate that names a user, good for a year."""
    return _issue(authority, user, ExtendedKeyUsageOID.CLIENT_AUTH, now, None, None)


def _issue(
    authority: Pair,
    name: str,
    purpose: x509.ObjectIdentifier,
    now: datetime.datetime,
    names: x509.SubjectAlternativeName | None,
    key: Key | None,
) -> Pair:
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    begin = min(issuer.not_valid_before_utc, now - SKEW)
    # Never beyond the authority, whose end ends it too, unless that is over already.
    last = issuer.not_valid_after_utc
    end = now + LEAF_LIFE if last <= now else min(now + LEAF_LIFE, last)
    builder = (
        _builder(issuer.subject, _name(name), key, begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return Pair(builder.sign(authority.key, _digest(authority.key)), key)


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    key: Key,
    begin: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _digest(key: Key) -> hashes.SHA256 | None:
    # The Edwards curves bring their own (RFC 8410).
    return hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None


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
