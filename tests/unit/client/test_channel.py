"""A target says at once what cannot be: gRPC would fail late, elsewhere, or end the process."""

import datetime
from pathlib import Path

import pytest

from twinplane.identity import upkeep
from twinplane.identity.host_name import host_names
from twinplane_client import Client, Target


def test_a_certificate_without_its_key_is_refused() -> None:
    for alone in ({"certificate": "c.pem"}, {"key": "c.key"}):
        with pytest.raises(ValueError, match="certificate and key belong together"):
            Target("localhost:1", **alone)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["pässword", "a\nb", " x", "x ", "\t"])
def test_credentials_that_metadata_cannot_hold_are_refused(text: str) -> None:
    for given in ({"username": text}, {"password": text}):
        with pytest.raises(ValueError, match="printable ASCII"):
            Target("localhost:1", **given)  # type: ignore[arg-type]


def test_credentials_are_printable_and_may_have_blanks_inside() -> None:
    target = Target("x:1", username="!", password="a ~b")
    assert target.metadata() == (("username", "!"), ("password", "a ~b"))
    assert Target("x:1").metadata() == ()


def test_files_are_named_by_text_or_path(tmp_path: Path) -> None:
    upkeep.ensure(tmp_path, host_names(), datetime.datetime.now(datetime.UTC))
    ca, certificate, key = str(tmp_path / "ca.pem"), str(tmp_path / "admin.pem"), tmp_path / "admin.key"
    with Client(Target("x:1", ca=ca, certificate=certificate, key=key)):
        pass
    with pytest.raises(FileNotFoundError):
        Client(Target("x:1", ca="/nonexistent"))
