"""An authority and what the operator put there are never replaced by a start, whatever the clock says."""

import datetime
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from twinplane.errors import StartError
from twinplane.identity import authority_command, certificates, issue, upkeep
from twinplane.identity.host_name import Names
from twinplane.identity.issue import Pair

NOW = datetime.datetime(2026, 8, 1, tzinfo=datetime.UTC)
NAMES = Names(("localhost",), (ip_address("127.0.0.1"),))
MORE = Names(("localhost", "other"), NAMES.addresses)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
CLOCKS = [NOW - 2 * HOUR, datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)] + [
    datetime.datetime(year, 12, 31, tzinfo=datetime.UTC) for year in (1970, 2027, 2033, 2069)
]


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    folder = tmp_path / "tls"
    upkeep.ensure(folder, NAMES, NOW)
    return folder


def content(folder: Path, *but: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name not in but}


def good(folder: Path, name: str, when: datetime.datetime) -> bool:
    one = certificates.read_certificates(folder / f"{name}.pem")[0]
    authority = certificates.read_certificates(folder / "ca.pem")
    within = one.not_valid_before_utc <= when < one.not_valid_after_utc
    return within and (name == "ca" or certificates.is_issued(one, authority))


@pytest.mark.parametrize("clock", CLOCKS)
def test_no_clock_makes_a_certificate_worthless(tls: Path, clock: datetime.datetime) -> None:
    before = content(tls)
    upkeep.ensure(tls, NAMES, clock, seen=NOW)
    assert (tls / "ca.pem").read_bytes() == before["ca.pem"]
    assert (tls / "ca.key").read_bytes() == before["ca.key"]
    assert (tls / "server.key").read_bytes() == before["server.key"]
    for name in ("ca", "server", "admin"):
        assert good(tls, name, NOW), "for a client whose clock is right"
    # Also where that clock was believed, and what came of it is all that is known.
    upkeep.ensure(tls, NAMES, NOW, seen=max(NOW, clock))
    assert all(good(tls, name, NOW) for name in ("ca", "server", "admin"))


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_first_start_with_any_clock_is_good_for_the_right_one(
    tmp_path: Path, clock: datetime.datetime
) -> None:
    upkeep.ensure(tmp_path, NAMES, clock)
    upkeep.ensure(tmp_path, NAMES, NOW)
    later = clock if clock >= issue.RELEASED + issue.AUTHORITY_LIFE else NOW
    for name in ("ca", "server", "admin"):
        assert good(tmp_path, name, NOW), name
        assert good(tmp_path, name, later), name


def test_a_clock_that_is_behind_is_reported_and_renews_nothing(tls: Path) -> None:
    before = content(tls)
    done = upkeep.ensure(tls, NAMES, NOW - 2 * HOUR, seen=NOW + 250 * DAY)
    assert done.written == ()
    assert [(one.kind, "set the clock" in one.text) for one in done.troubles] == [("CLOCK", True)]
    assert content(tls) == before
    assert upkeep.ensure(tls, NAMES, NOW + 250 * DAY, seen=NOW + 250 * DAY).written == ("server", "admin")


def test_a_renewal_keeps_the_key_of_the_server(tls: Path) -> None:
    before = content(tls)
    assert upkeep.ensure(tls, MORE, NOW).written == ("server",)
    assert (tls / "server.key").read_bytes() == before["server.key"]
    assert (tls / "server.pem").read_bytes() != before["server.pem"]


def test_near_the_end_of_the_authority_nothing_is_written_over_and_over(tls: Path) -> None:
    late = NOW + issue.AUTHORITY_LIFE - 60 * DAY
    assert upkeep.ensure(tls, NAMES, late).written == ("server", "admin")
    again = upkeep.ensure(tls, NAMES, late + DAY)
    assert again.written == ()
    assert "authority renew" in again.troubles[0].text


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("nothing")])
def test_without_the_authority_s_key_it_serves_and_issuing_says_why_not(
    tls: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(tls / "ca.key")
    before = content(tls)
    done = upkeep.ensure(tls, MORE, NOW)
    assert done.written == ()
    assert [one.severity for one in done.troubles] == ["WARNING"]
    assert "ca.key" in done.troubles[0].text
    assert content(tls) == before
    with pytest.raises(StartError, match=r"ca\.key"):
        certificates.write_client(tls, "ann", NOW)


def test_a_missing_authority_is_made_again_of_its_key_by_command_alone(tls: Path) -> None:
    trusted = certificates.read_certificates(tls / "ca.pem")
    (tls / "ca.pem").unlink()
    before = content(tls)
    with pytest.raises(StartError, match="authority renew"):
        upkeep.ensure(tls, NAMES, NOW)
    assert content(tls) == before
    by_password = upkeep.ensure(tls, NAMES, NOW, mutual=False)
    assert by_password.written == ()
    assert content(tls) == before
    authority_command.renew_authority(tls.parent, NOW)
    assert upkeep.ensure(tls, NAMES, NOW) == upkeep.Upkeep()
    certificates.write_client(tls, "ann", NOW)
    for name in ("server", "admin", "ann"):
        assert good(tls, name, NOW)
        one = certificates.read_certificates(tls / f"{name}.pem")[0]
        assert certificates.is_issued(one, trusted), "who has the old ca.pem trusts it still"


@pytest.mark.parametrize("lost", ["both", "all"])
def test_an_authority_that_is_gone_is_lost_not_new(tls: Path, lost: str) -> None:
    for file in list(tls.iterdir()):
        if lost == "all" or file.stem == "ca":
            file.unlink()
    before = content(tls)
    with pytest.raises(StartError, match="authority replace"):
        upkeep.ensure(tls, NAMES, NOW, used=lost == "all")
    assert content(tls) == before
    authority_command.replace_authority(tls.parent, NAMES, NOW)
    assert upkeep.ensure(tls, NAMES, NOW, used=True) == upkeep.Upkeep()


def own(folder: Path, now: datetime.datetime, name: str = "router.example") -> Pair:
    """What an operator's authority elsewhere issued, for an RSA key."""
    pair = issue.issue_server(
        issue.issue_authority(now, name=x509.Name.from_rfc4514_string("CN=Example CA")),
        Names((name,), ()),
        now,
        rsa.generate_private_key(65537, 2048),
    )
    certificates.write_pair(folder, "server", pair)
    return pair


@pytest.mark.parametrize("start", ["before", "after"])
def test_an_operator_s_own_server_certificate_is_never_overwritten(tmp_path: Path, start: str) -> None:
    if start == "after":
        upkeep.ensure(tmp_path, NAMES, NOW)
    own(tmp_path, NOW)
    mine = content(tmp_path, "admin.pem", "admin.key", "ca.pem", "ca.key")
    assert upkeep.ensure(tmp_path, MORE, NOW).troubles == ()
    near = upkeep.ensure(tmp_path, MORE, NOW + 340 * DAY)
    over = upkeep.ensure(tmp_path, MORE, NOW + 400 * DAY)
    found = [[one for one in done.troubles if "server" in one.name] for done in (near, over)]
    assert [[one.severity for one in ones] for ones in found] == [["WARNING"], ["MAJOR"]]
    assert "server renew" in found[1][0].text
    assert content(tmp_path, "admin.pem", "admin.key", "ca.pem", "ca.key") == mine


@pytest.mark.parametrize("half", ["server.key", "server.pem"])
def test_half_of_an_operator_s_pair_is_refused_and_left(tls: Path, half: str) -> None:
    own(tls, NOW)
    (tls / half).unlink()
    before = content(tls)
    if half == "server.pem":  # a key that waits for its certificate is certified here meanwhile
        upkeep.ensure(tls, NAMES, NOW)
        assert (tls / "server.key").read_bytes() == before["server.key"]
        return
    with pytest.raises(StartError, match="server renew"):
        upkeep.ensure(tls, NAMES, NOW)
    assert content(tls) == before
    authority_command.renew_server(tls.parent, NAMES, NOW)
    assert upkeep.ensure(tls, NAMES, NOW) == upkeep.Upkeep()
    assert [file for file in tls.iterdir() if file.name.startswith("server.pem.")], "kept aside"


def test_what_is_no_key_is_left_and_the_remedy_works(tls: Path) -> None:
    (tls / "server.key").write_text("secret of somebody")
    with pytest.raises(StartError, match=r"server\.key is not a private key.*server renew"):
        upkeep.ensure(tls, NAMES, NOW)
    authority_command.renew_server(tls.parent, NAMES, NOW)
    assert upkeep.ensure(tls, NAMES, NOW) == upkeep.Upkeep()


def test_the_authority_is_renewed_with_its_key_and_replaced_with_another(tls: Path) -> None:
    old = certificates.read_certificates(tls / "ca.pem")
    late = NOW + issue.AUTHORITY_LIFE + DAY
    over = upkeep.ensure(tls, NAMES, late)
    assert over.written == ()
    assert "authority renew" in over.troubles[0].text
    with pytest.raises(StartError, match="authority renew"):
        certificates.write_client(tls, "ann", late)
    authority_command.renew_authority(tls.parent, late)
    assert upkeep.ensure(tls, NAMES, late).written == ("server", "admin")
    assert certificates.is_issued(certificates.read_certificates(tls / "admin.pem")[0], old)
    authority_command.replace_authority(tls.parent, NAMES, late)
    assert upkeep.ensure(tls, NAMES, late) == upkeep.Upkeep()
    assert not certificates.is_issued(certificates.read_certificates(tls / "admin.pem")[0], old)


def test_status_says_what_is_there_and_writes_nothing(tls: Path) -> None:
    before = content(tls)
    lines, in_order = authority_command.status(tls.parent, MORE, NOW)
    assert in_order
    assert any("CN=admin" in line and "with its key" in line for line in lines)
    (tls / "ca.pem").unlink()
    lines, in_order = authority_command.status(tls.parent, MORE, NOW)
    assert not in_order
    assert f"{tls}/ca.pem is missing" in lines[-1]
    assert content(tls, "ca.pem") == {name: text for name, text in before.items() if name != "ca.pem"}


@contextmanager
def no_room() -> Iterator[None]:
    """No file can be written to more than a few bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_renewed_serves_on_and_is_reported(tls: Path) -> None:
    before, late = content(tls), NOW + 300 * DAY
    with no_room():
        done = upkeep.ensure(tls, NAMES, late, seen=late)
    assert done.written == ()
    shown = {trouble.name: trouble.text for trouble in done.troubles}
    assert set(shown) == {"certificate server", "certificate admin"}
    assert all("cannot be written: File too large" in text for text in shown.values())
    assert content(tls) == before, "a key is not replaced without its certificate, and nothing is left over"
    assert upkeep.ensure(tls, NAMES, late, seen=late) == upkeep.Upkeep(("server", "admin"))
    (tls / "server.pem").unlink()
    with no_room(), pytest.raises(StartError, match=r"cannot write certificates .* File too large"):
        upkeep.ensure(tls, NAMES, late, seen=late)
    with no_room(), pytest.raises(StartError, match="cannot copy"):
        authority_command.status(tls.parent, NAMES, late)


def test_a_certificate_whose_names_cannot_be_read_is_written_again(tls: Path) -> None:
    ours = certificates.read_authority(tls)
    server = certificates.read_certificates(tls / "server.pem")[0]
    garbage = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x05\xff")
    builder = (
        x509.CertificateBuilder(server.issuer, server.subject, server.public_key(), server.serial_number)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 300 * DAY)
        .add_extension(garbage, critical=False)
    )
    odd = builder.sign(ours.key, hashes.SHA256())
    (tls / "server.pem").write_bytes(Pair(odd, ours.key).certificate_pem)
    assert upkeep.ensure(tls, NAMES, NOW).written == ("server",)
    assert good(tls, "server", NOW)
