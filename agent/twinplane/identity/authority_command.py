"""The commands that replace what the agent never replaces by itself, and the one that says how things stand.

What is replaced is kept aside in tls/, under its name with the time behind it. A running agent uses what is
there from the next connection on.
"""

import datetime
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from twinplane.errors import StartError
from twinplane.identity import upkeep
from twinplane.identity.certificates import (
    RESERVED,
    common_name,
    fits,
    is_issued,
    read_authority,
    read_certificates,
    read_key,
    write_certificate,
    write_pair,
)
from twinplane.identity.host_name import Names
from twinplane.identity.issue import (
    AUTHORITY_NAME,
    RELEASED,
    Pair,
    issue_authority,
    issue_client,
    issue_server,
)


def renew_authority(root: Path, now: datetime.datetime) -> list[str]:
    """Write ca.pem again, with the key and the name that it had: all certificates that it signed stay good.

    Raises:
        StartError: ca.key is not there or not that of ca.pem, or its name is not known any more.
    """
    folder = _folder(root)
    key, pem = read_key(folder / "ca.key"), folder / "ca.pem"
    name = read_authority(folder).certificate.subject if pem.exists() else _name_of_issuer(folder)
    pair = issue_authority(now, key, name)
    if not pem.exists():
        _require_issued(folder, pair)
    kept = _aside(folder, "ca.pem", now)
    _written(lambda: write_certificate(folder, "ca", pair))
    end = pair.certificate.not_valid_after_utc
    return [
        *kept,
        f"{pem} is good until {end:%Y-%m-%d}; give it to every client, whose certificates stay good",
    ]


def replace_authority(root: Path, names: Names, now: datetime.datetime) -> list[str]:
    """Make another authority with another key, and what the agent issued below it. Every client is shut out
    until it has a new certificate and the new ca.pem.

    Raises:
        StartError: the folder cannot be written.
    """
    folder = _folder(root)
    stale = [file.stem for file in sorted(folder.glob("*.pem")) if file.stem not in RESERVED]
    before = _certificates(folder / "ca.pem")
    server = _certificates(folder / "server.pem")
    foreign = bool(server) and bool(before) and not is_issued(server[0], before)
    foreign = foreign or (bool(server) and not before and not _is_ours(server[0]))
    authority = issue_authority(now)
    kept = _aside(folder, "ca.pem", now) + _aside(folder, "ca.key", now)
    _written(lambda: write_pair(folder, "ca", authority))
    moment = max(now, RELEASED)
    lines = [*kept, f"{folder / 'ca.pem'} is another authority now; give it to every client"]
    if foreign:
        lines.append(f"{folder / 'server.pem'} is not of the agent and stays")
    else:
        lines += _aside(folder, "server.pem", now) + _aside(folder, "server.key", now)
        _written(lambda: write_pair(folder, "server", issue_server(authority, names, moment)))
    lines += _aside(folder, "admin.pem", now) + _aside(folder, "admin.key", now)
    _written(lambda: write_pair(folder, "admin", issue_client(authority, "admin", moment)))
    lines += [f"`certificate issue {user}` makes another for {user}" for user in stale if user != "admin"]
    return lines


def renew_server(root: Path, names: Names, now: datetime.datetime) -> list[str]:
    """Issue a certificate with a new key for this host, in the place of whatever is there.

    Raises:
        StartError: there is no authority that can issue it, or the folder cannot be written.
    """
    folder = _folder(root)
    authority = read_authority(folder)
    pair = issue_server(authority, names, max(now, RELEASED, authority.certificate.not_valid_before_utc))
    kept = _aside(folder, "server.pem", now) + _aside(folder, "server.key", now)
    _written(lambda: write_pair(folder, "server", pair))
    end = pair.certificate.not_valid_after_utc
    return [*kept, f"{folder / 'server.pem'} is good until {end:%Y-%m-%d}"]


def status(
    root: Path, names: Names, now: datetime.datetime, *, mutual: bool = True
) -> tuple[list[str], bool]:
    """What certificates there are, and what is not in order; looks only. True where all is in order.

    Raises:
        StartError: there is no such folder, or no room for a copy of it.
    """
    folder = _folder(root)
    lines = []
    for file in sorted(folder.glob("*.pem")):
        try:
            lines += [_line(file, one) for one in read_certificates(file)]
        except StartError as error:
            lines.append(str(error))
    try:
        found = upkeep.look(folder, names, now, mutual=mutual)
    except OSError as error:
        raise StartError(f"cannot copy {folder} to judge it: {error.strerror}") from error
    return [*lines, *(f"{trouble.severity}: {trouble.text}" for trouble in found)], not found


def _line(file: Path, certificate: x509.Certificate) -> str:
    try:
        key = "with its key" if fits(certificate, read_key(file.with_suffix(".key"))) else "with another key"
    except StartError:
        key = "without a usable key"
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return (
        f"{file.name}: {subject}, issued by {issuer}, "
        f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}, serial number {certificate.serial_number:x}, {key}"
    )


def _folder(root: Path) -> Path:
    folder = root / "tls"
    if not root.is_dir():
        raise StartError(f"there is no state directory {root}; start the agent once, or name its settings")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StartError(f"cannot make {folder}: {error.strerror}") from error
    return folder


def _certificates(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return read_certificates(file)
    except StartError:
        return ()


def _is_ours(certificate: x509.Certificate) -> bool:
    return common_name(certificate.issuer).startswith(AUTHORITY_NAME)


def _name_of_issuer(folder: Path) -> x509.Name:
    """The name of an authority whose certificate is gone, from what it issued."""
    for file in (folder / "server.pem", *sorted(folder.glob("*.pem"))):
        for certificate in _certificates(file):
            if _is_ours(certificate) and certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME):
                return certificate.issuer
    raise StartError(
        f"nothing in {folder} says how the authority was called; restore ca.pem, or "
        "`certificate authority replace`"
    )


def _require_issued(folder: Path, pair: Pair) -> None:
    issued = [one for file in folder.glob("*.pem") for one in _certificates(file)]
    if not any(is_issued(one, (pair.certificate,)) for one in issued):
        raise StartError(
            f"{folder / 'ca.key'} signed none of the certificates in {folder}; restore ca.pem and its key, "
            "or `certificate authority replace`"
        )


def _aside(folder: Path, name: str, now: datetime.datetime) -> list[str]:
    """Keep a file under another name."""
    file = folder / name
    if not file.exists() and not file.is_symlink():
        return []
    stamp = f"{now:%Y%m%dT%H%M%S}"
    names = (f"{name}.{stamp}{number}" for number in ("", *(f".{n}" for n in range(1, 100))))
    kept = next(one for each in names if not (one := folder / each).exists())
    try:
        if file.is_symlink():
            kept.symlink_to(file.readlink())
        else:
            kept.hardlink_to(file)
    except OSError as error:
        raise StartError(f"cannot keep {file} as {kept}: {error.strerror}") from error
    return [f"{file} is kept as {kept}"]


def _written(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise StartError(f"cannot write certificates: {error.strerror}") from error
