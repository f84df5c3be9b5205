"""What a start and an hourly look do to the certificates, and what they leave to the operator.

The first start makes authority, server and client. Later ones write a certificate again for the key that it
has, where the authority here issued it and it is near its end or lacks a name; they issue what is missing. An
authority is never replaced, nor what the operator put there: that is reported, with the command that does it.
"""

import datetime
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509

from twinplane.errors import StartError
from twinplane.identity.certificates import (
    common_name,
    fits,
    is_issued,
    read_authority,
    read_certificates,
    read_key,
    write_certificate,
    write_pair,
)
from twinplane.identity.file import write_private
from twinplane.identity.host_name import Names
from twinplane.identity.issue import (
    AUTHORITY_NAME,
    LEAF_LIFE,
    RELEASED,
    SERVER_NAME,
    SKEW,
    Pair,
    issue_authority,
    issue_client,
    issue_server,
)

COMMAND = "twinplane-agent certificate"
REPLACE = f"`{COMMAND} authority replace` (after it every client needs a new certificate and the new ca.pem)"
SOON = datetime.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is not in order and is left to the operator. With `fatal` TLS cannot be served."""

    name: str
    severity: str  # as of AlarmFact
    text: str
    fatal: bool = False
    kind: str = "CERTIFICATE"


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The files that were written, and what is not in order."""

    written: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def __add__(self, other: "Upkeep") -> "Upkeep":
        return Upkeep(self.written + other.written, self.troubles + other.troubles)


@dataclass(frozen=True, slots=True)
class Reading:
    """The time by the clock, and the latest time that has certainly been (both aware)."""

    now: datetime.datetime
    floor: datetime.datetime

    @property
    def behind(self) -> bool:
        """The clock cannot be right."""
        return self.now < self.floor - SKEW

    @property
    def moment(self) -> datetime.datetime:
        """The best that is known of the time."""
        return max(self.now, self.floor)


def ensure(
    folder: Path,
    names: Names,
    now: datetime.datetime,
    clients: Collection[str] = ("admin",),
    *,
    seen: datetime.datetime = RELEASED,
    used: bool = False,
    mutual: bool = True,
) -> Upkeep:
    """Bring the folder to what it should hold, as far as that takes nothing from anybody.

    `seen` is the latest time that an agent here worked at; `used` says that one did, so that an authority
    that is missing is lost; without `mutual` clients have no certificates, and TLS needs no authority.

    Raises:
        StartError: the folder cannot be written, or TLS cannot be served with what is there.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = _ensure(folder, names, now, tuple(clients), seen, used, mutual)
    except OSError as error:
        raise StartError(f"cannot write certificates in {folder}: {error.strerror}") from error
    fatal = [trouble.text for trouble in done.troubles if trouble.fatal]
    if fatal:
        raise StartError("; ".join(fatal))
    return done


def look(
    folder: Path,
    names: Names,
    now: datetime.datetime,
    *,
    seen: datetime.datetime = RELEASED,
    mutual: bool = True,
) -> tuple[Trouble, ...]:
    """What `ensure` would report, were it called now, without writing anything. Raises OSError."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "tls"
        copy.mkdir(mode=0o700)
        for file in (*folder.glob("*.pem"), *folder.glob("*.key")):
            write_private(copy / file.name, file.read_bytes())
        found = _ensure(copy, names, now, ("admin",), seen, True, mutual)
    return tuple(replace(one, text=one.text.replace(str(copy), str(folder))) for one in found.troubles)


def _ensure(
    folder: Path,
    names: Names,
    now: datetime.datetime,
    clients: tuple[str, ...],
    seen: datetime.datetime,
    used: bool,
    mutual: bool,
) -> Upkeep:
    made = Upkeep()
    if not (folder / "ca.pem").exists():
        if used or _was_here(folder):
            made += Upkeep((), (_lost(folder, mutual),))
        else:
            # What a start left that ended before it wrote the certificate, or the operator put there.
            key = read_key(folder / "ca.key") if (folder / "ca.key").exists() else None
            write_pair(folder, "ca", issue_authority(now, key))
            made += Upkeep(("ca",))
    authority, roots, found = _authority(folder, mutual)
    if authority is not None:
        roots = (authority.certificate, *roots)
    begin = max((root.not_valid_before_utc for root in roots[:1]), default=RELEASED)
    time = Reading(now, max(RELEASED, begin, seen))
    made += found
    if time.behind:
        text = (
            f"the clock says {now:%Y-%m-%d %H:%M} (UTC), but it has been {time.floor:%Y-%m-%d %H:%M} here; "
            "certificates are not renewed, and those of clients are refused where they are not valid yet by "
            "this clock; set the clock"
        )
        made += Upkeep((), (Trouble("clock of certificates", "MAJOR", text, kind="CLOCK"),))
    if roots:
        made += _judge_authority(folder, roots[0], time)
    able = authority
    if authority is not None and authority.certificate.not_valid_after_utc <= time.moment:
        able = None
    made += _server(folder, able, roots, names, time)
    for user in clients:
        made += _client(folder, user, able, roots, time)
    return made


def _lost(folder: Path, mutual: bool) -> Trouble:
    again = (
        f"make it again from ca.key: `{COMMAND} authority renew`, or " if (folder / "ca.key").exists() else ""
    )
    text = f"{folder / 'ca.pem'} is missing, though there was an authority; restore it, or {again}{REPLACE}"
    return Trouble("authority", "MAJOR", text, fatal=mutual)


def _was_here(folder: Path) -> bool:
    """Whether an authority of ours issued something that is still here."""
    for file in folder.glob("*.pem"):
        try:
            issuers = [common_name(one.issuer) for one in read_certificates(file)]
        except StartError:
            continue
        if any(issuer.startswith(AUTHORITY_NAME) for issuer in issuers):
            return True
    return False


def _authority(folder: Path, mutual: bool) -> tuple[Pair | None, tuple[x509.Certificate, ...], Upkeep]:
    """The authority where it can issue, the certificates that clients are judged by, what is not in order."""
    pem = folder / "ca.pem"
    if not pem.exists():
        return None, (), Upkeep()
    try:
        roots = read_certificates(pem)
    except StartError as error:
        trouble = Trouble("authority", "MAJOR", f"{error}; restore it, or {REPLACE}", fatal=mutual)
        return None, (), Upkeep((), (trouble,))
    try:
        return read_authority(folder), roots, Upkeep()
    except StartError as error:
        return None, roots, Upkeep((), (Trouble("authority", "WARNING", str(error)),))


def _judge_authority(folder: Path, root: x509.Certificate, time: Reading) -> Upkeep:
    end, file = root.not_valid_after_utc, folder / "ca.pem"
    renew = (
        f"`{COMMAND} authority renew`, and give every client the new ca.pem (their certificates stay good)"
    )
    if time.moment >= end:
        text = f"{file} expired on {end:%Y-%m-%d}, or the clock is wrong; set the clock, or {renew}"
        return Upkeep((), (Trouble("authority's end", "MAJOR", text),))
    if time.moment >= end - LEAF_LIFE:
        return Upkeep((), (Trouble("authority's end", "WARNING", f"{file} ends on {end:%Y-%m-%d}; {renew}"),))
    return Upkeep()


def _server(
    folder: Path,
    authority: Pair | None,
    roots: tuple[x509.Certificate, ...],
    names: Names,
    time: Reading,
) -> Upkeep:
    pem, secret = folder / "server.pem", folder / "server.key"
    command = f"`{COMMAND} server renew` (what is there is kept aside)"
    try:
        certificate = read_certificates(pem)[0] if pem.exists() else None
        key = read_key(secret) if secret.exists() else None
    except StartError as error:
        return _fatal(f"{error}; put the right one there, or {command}")
    ours = certificate is None or _is_ours(certificate, SERVER_NAME, roots)
    whole = certificate is not None and key is not None and fits(certificate, key)
    if not whole:
        what = f"{pem} and server.key are not there or do not fit"
        if not ours:
            return _fatal(f"{what}; put the right ones there, or {command}")
        if authority is None:
            return _fatal(
                f"{what}, and the authority cannot issue a certificate; put both there, or restore it"
            )
    assert certificate is not None or authority is not None
    if whole and certificate is not None and (not ours or authority is None):
        return _judge_leaf("server", pem, certificate, time, command)
    if certificate is not None and whole:
        aged = _worn(certificate, time) and not time.behind
        if not aged and _covers(certificate, names):
            return Upkeep()
    assert authority is not None
    pair = issue_server(authority, names, time.moment, key)
    if certificate is not None and whole and _covers(certificate, names) and not _longer(pair, certificate):
        return Upkeep()
    try:
        if key is None:
            write_pair(folder, "server", pair)
        else:
            write_certificate(folder, "server", pair)
    except OSError as error:
        if not whole:
            raise
        return _not_written("server", pem, error)  # what is there serves on
    return Upkeep(("server",))


def _client(
    folder: Path, user: str, authority: Pair | None, roots: tuple[x509.Certificate, ...], time: Reading
) -> Upkeep:
    pem, secret = folder / f"{user}.pem", folder / f"{user}.key"
    command = f"`{COMMAND} issue {user}`"
    if not roots or (authority is None and not pem.exists()):
        return Upkeep()
    if not pem.exists() and authority is not None:
        return _issued(folder, user, issue_client(authority, user, time.moment))
    try:
        certificate = read_certificates(pem)[0]
        whole = secret.exists() and fits(certificate, read_key(secret))
    except StartError as error:
        return Upkeep((), (Trouble(f"certificate {user}", "WARNING", f"{error}; {command}"),))
    if not _is_ours(certificate, user, roots):
        text = f"{pem} was not issued by this authority; {command} issues another"
        return Upkeep((), (Trouble(f"certificate {user}", "WARNING", text),))
    if authority is None or (whole and (time.behind or not _worn(certificate, time))):
        return Upkeep()
    pair = issue_client(authority, user, time.moment)
    if whole and not _longer(pair, certificate):
        return Upkeep()
    return _issued(folder, user, pair)


def _issued(folder: Path, user: str, pair: Pair) -> Upkeep:
    try:
        write_pair(folder, user, pair)
    except OSError as error:
        return _not_written(user, folder / f"{user}.pem", error)
    return Upkeep((user,))


def _not_written(name: str, file: Path, error: OSError) -> Upkeep:
    text = f"{file} is due, but cannot be written: {error.strerror}; it is tried again each hour"
    return Upkeep((), (Trouble(f"certificate {name}", "MAJOR", text),))


def _judge_leaf(name: str, file: Path, certificate: x509.Certificate, time: Reading, command: str) -> Upkeep:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    remedy = f"install its successor as {file.name} and {file.stem}.key, or {command}"
    if time.moment >= end:
        text, severity = f"{file} expired on {end:%Y-%m-%d}, or the clock is wrong; {remedy}", "MAJOR"
    elif time.now < begin:
        text, severity = f"{file} is not valid before {begin:%Y-%m-%d %H:%M} (UTC); set the clock", "MAJOR"
    elif time.moment >= end - SOON:
        text, severity = f"{file} ends on {end:%Y-%m-%d}; {remedy}", "WARNING"
    else:
        return Upkeep()
    return Upkeep((), (Trouble(f"certificate {name}", severity, text),))


def _fatal(text: str) -> Upkeep:
    return Upkeep((), (Trouble("certificate server", "CRITICAL", text, fatal=True),))


def _is_ours(certificate: x509.Certificate, name: str, roots: tuple[x509.Certificate, ...]) -> bool:
    return common_name(certificate.subject) == name and is_issued(certificate, roots)


def _worn(certificate: x509.Certificate, time: Reading) -> bool:
    # It begins with its authority, so its age says nothing: what is left of it does.
    return time.moment >= certificate.not_valid_after_utc - LEAF_LIFE / 3


def _longer(pair: Pair, certificate: x509.Certificate) -> bool:
    """Whether it is worth writing: near the authority's end what is issued ends when the last one did."""
    end = certificate.not_valid_after_utc + datetime.timedelta(days=1)
    return pair.certificate.not_valid_after_utc >= end


def _covers(certificate: x509.Certificate, names: Names) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    dns = set(extension.get_values_for_type(x509.DNSName))
    addresses = set(extension.get_values_for_type(x509.IPAddress))
    return dns >= set(names.dns) and addresses >= set(names.addresses)
