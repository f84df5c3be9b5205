"""Certificates as others may make them, which `identity/issue.py` would not."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from twinplane.identity.issue import Pair

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
DAY = datetime.timedelta(days=1)


def certified(
    issuer: Pair | None,
    *names: str,
    ca: bool = False,
    length: int | None = None,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    begin: int = -10,
    end: int = 10,
) -> Pair:
    """A certificate with these common names, self-signed without an issuer; begin and end in days."""
    key = ec.generate_private_key(ec.SECP256R1())
    # A name may be longer than X.520 has it, or hold what no name does.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, _validate=False) for name in names])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False)
    usage |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin * DAY)
        .not_valid_after(now + end * DAY)
        .add_extension(x509.BasicConstraints(ca, length), critical=True)
        .add_extension(
            # An authority may sign with its key too: a client takes no certificate that must not.
            x509.KeyUsage(digital_signature=True, key_cert_sign=ca, crl_sign=ca, **usage),
            critical=True,
        )
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Pair(builder.sign(key if issuer is None else issuer.key, hashes.SHA256()), key)
