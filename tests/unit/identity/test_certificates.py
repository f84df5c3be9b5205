import datetime
import stat
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from twinplane.errors import StartError
from twinplane.identity import certificates, upkeep
from twinplane.identity.host_name import Names

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
NAMES = Names(("localhost", "node"), (ip_address("127.0.0.1"), ip_address("::1")))


def serial(folder: Path, name: str) -> int:
    return x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()).serial_number


def test_first_start_makes_authority_server_and_admin(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    assert upkeep.ensure(folder, NAMES, NOW).written
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{end}" for name in ("ca", "server", "admin") for end in ("pem", "key")
    }
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.glob("*.key"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    admin = x509.load_pem_x509_certificate((folder / "admin.pem").read_bytes())
    assert admin.subject.rfc4514_string() == "CN=admin"
    server = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    alternatives = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.DNSName) == ["localhost", "node"]
    assert alternatives.get_values_for_type(x509.IPAddress) == list(NAMES.addresses)


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert not upkeep.ensure(tmp_path, NAMES, NOW + datetime.timedelta(days=200)).written
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_leaves_are_renewed_after_two_thirds_of_their_life(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    before = {name: serial(tmp_path, name) for name in ("ca", "server", "admin")}
    assert upkeep.ensure(tmp_path, NAMES, NOW + datetime.timedelta(days=250)).written
    assert serial(tmp_path, "ca") == before["ca"]
    assert serial(tmp_path, "server") != before["server"]
    assert serial(tmp_path, "admin") != before["admin"]


def test_a_new_address_renews_the_server_only(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    before = {name: serial(tmp_path, name) for name in ("server", "admin")}
    more = Names(NAMES.dns, (*NAMES.addresses, ip_address("192.0.2.7")))
    assert upkeep.ensure(tmp_path, more, NOW).written == ("server",)
    assert serial(tmp_path, "server") != before["server"]
    assert serial(tmp_path, "admin") == before["admin"]
    # An address that went away is no reason: it may come back.
    assert not upkeep.ensure(tmp_path, NAMES, NOW).written


def test_a_half_finished_renewal_is_repaired(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    other = tmp_path / "other"
    upkeep.ensure(other, NAMES, NOW)
    (tmp_path / "server.key").write_bytes((other / "server.key").read_bytes())
    assert upkeep.ensure(tmp_path, NAMES, NOW).written
    assert certificates.belong_together(
        (tmp_path / "server.pem").read_bytes(), (tmp_path / "server.key").read_bytes()
    )


def test_a_first_start_that_died_after_the_key_is_finished(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path / "other", NAMES, NOW)
    key = (tmp_path / "other" / "ca.key").read_bytes()
    (tmp_path / "ca.key").write_bytes(key)
    assert upkeep.ensure(tmp_path, NAMES, NOW).written == ("ca", "server", "admin")
    assert certificates.read_authority(tmp_path).key_pem == key


def test_more_users_and_reserved_names(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    certificates.write_client(tmp_path, "reader", NOW)
    assert serial(tmp_path, "reader")
    with pytest.raises(StartError, match="server"):
        certificates.write_client(tmp_path, "server", NOW)


def test_fingerprint_has_openssl_form(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, NAMES, NOW)
    text = certificates.fingerprint((tmp_path / "server.pem").read_bytes())
    assert len(text.split(":")) == 32
    assert text == text.upper()


def test_a_folder_that_cannot_be_made_is_a_start_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot write certificates"):
        upkeep.ensure(tmp_path / "file" / "tls", NAMES, NOW)
