"""The commands that a start prints are complete and name files that are there."""

import datetime
import io
import shlex
from pathlib import Path

from twinplane.hints import print_hints
from twinplane.identity import certificates, upkeep
from twinplane.identity.host_name import host_names
from twinplane.settings import TlsMode


def test_each_client_has_a_line_to_paste(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path / "tls", host_names(), datetime.datetime.now(datetime.UTC))
    out = io.StringIO()
    print_hints("localhost:9339", tmp_path, TlsMode.MUTUAL, out)
    lines = out.getvalue().splitlines()
    for client in ("gnmic", "gnmi_cli", "twinplane_client"):
        (line,) = (line for line in lines if client in line.split()[:3])
        words = shlex.split(line)
        assert "localhost:9339" in words
        named = [word for word in words if word.startswith(str(tmp_path))]
        assert [Path(word).name for word in named] == ["ca.pem", "admin.pem", "admin.key"]
        assert all(Path(word).is_file() for word in named)
    authority = (tmp_path / "tls/ca.pem").read_bytes()
    assert any(certificates.fingerprint(authority) in line for line in lines)


def test_where_passwords_are_asked_for_no_certificate_is_named(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path / "tls", host_names(), datetime.datetime.now(datetime.UTC))
    out = io.StringIO()
    print_hints("localhost:9339", tmp_path, TlsMode.PASSWORD, out)
    told = out.getvalue()
    assert "mutual" not in told
    assert "admin.pem" not in told
    for words in ("gnmic -a localhost:9339 ", "-u NAME -p PASSWORD", "-with_user_pass", "--username NAME"):
        assert words in told
