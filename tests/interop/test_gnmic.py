"""gnmic, where a user has it (`make interop GNMIC=path`): the same list as the other clients."""

import os
from pathlib import Path

import pytest

from e2e.agent import Agent
from e2e.documents import APPLIANCE
from interop.box import LAN, Credentials, Running, output

GNMIC = os.environ.get("GNMIC", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not GNMIC, reason="no gnmic: make interop GNMIC=path"),
]

CONFIG = f"{LAN}/config"
STATUS = f"{APPLIANCE}/state/oper-status"
Command = tuple[str | Path, ...]


@pytest.fixture(scope="module")
def gnmic(box: Credentials) -> Command:
    """gnmic with the administrator's certificate."""
    return (
        GNMIC,
        *("--address", box.address, "--tls-server-name", box.server_name, "--timeout", "20s"),
        *("--tls-ca", box.ca, "--tls-cert", box.certificate, "--tls-key", box.key),
    )


def test_capabilities(gnmic: Command) -> None:
    said = output(*gnmic, "capabilities")
    for word in ("0.10.0", "twinplane-appliance", "JSON_IETF", "PROTO"):
        assert word in said


@pytest.mark.parametrize("encoding", ["json", "json_ietf", "proto"])
def test_get_in_every_encoding(gnmic: Command, encoding: str) -> None:
    assert "1500" in output(*gnmic, "get", "--path", f"{CONFIG}/mtu", "--encoding", encoding)


@pytest.mark.parametrize(
    "options",
    [
        ("--path", CONFIG),
        ("--path", f"openconfig:{CONFIG}"),
        ("--prefix", LAN, "--path", "config"),
        ("--path", "/virtual-switches/virtual-switch[name=*]/config"),
        ("--path", CONFIG, "--target", "x7"),
        ("--path", CONFIG, "--type", "config"),
    ],
)
def test_get_by_every_style_of_path(gnmic: Command, options: tuple[str, ...]) -> None:
    assert "1500" in output(*gnmic, "get", "--encoding", "json_ietf", *options)


def test_errors_are_shown(gnmic: Command) -> None:
    assert "nowhere" in output(*gnmic, "get", "--path", "/nowhere", fails=True)
    assert "BYTES" in output(*gnmic, "get", "--path", CONFIG, "--encoding", "bytes", fails=True)


def test_set_update_replace_delete(gnmic: Command, tmp_path: Path) -> None:
    mtu = f"{CONFIG}/mtu"

    def now() -> str:
        return output(*gnmic, "get", "--path", CONFIG, "--encoding", "json_ietf")

    output(*gnmic, "set", "--update-path", mtu, "--update-value", "1400", "--encoding", "json_ietf")
    assert "1400" in now()
    output(*gnmic, "set", "--update", f"{mtu}:::uint:::1410")
    assert "1410" in now()
    file = tmp_path / "config.json"
    file.write_text('{"name": "lan", "mtu": 1420}')
    output(*gnmic, "set", "--replace-path", CONFIG, "--replace-file", file, "--encoding", "json_ietf")
    assert "1420" in now()
    said = output(*gnmic, "set", "--delete", mtu)
    assert "DELETE" in said
    assert "1500" in now()
    assert "mtu" in output(*gnmic, "set", "--update", f"{mtu}:::json_ietf:::1", fails=True)


def test_once(gnmic: Command) -> None:
    said = output(*gnmic, "subscribe", "--mode", "once", "--path", CONFIG, "--path", STATUS)
    assert "1500" in said
    assert "RUNNING" in said


@pytest.mark.parametrize("encoding", ["json", "json_ietf", "proto"])
@pytest.mark.parametrize(
    "mode",
    [
        ("on-change",),
        ("on-change", "--heartbeat-interval", "1s"),
        ("sample", "--sample-interval", "500ms"),
        ("sample", "--sample-interval", "500ms", "--suppress-redundant"),
        ("target-defined",),
    ],
)
def test_streams_of_every_mode(gnmic: Command, agent: Agent, mode: tuple[str, ...], encoding: str) -> None:
    options = ("--mode", "stream", "--encoding", encoding, "--stream-mode", *mode)
    paths = ("--path", CONFIG, "--path", STATUS)
    with Running(*gnmic, "subscribe", *options, *paths) as client, agent.client() as other:
        client.until("RUNNING")
        for mtu in (1430, 1440):
            other.set(update={f"{CONFIG}/mtu": mtu})
            client.until(str(mtu))
        other.set(delete=[f"{CONFIG}/mtu"])
        client.until("1500")


def test_an_interval_belongs_to_sample(gnmic: Command) -> None:
    """gnmic sends the interval whatever the mode; the refusal, which it shows with --log, says what to do."""
    options = ("--log", "--mode", "stream", "--sample-interval", "10s", "--path", CONFIG)
    with Running(*gnmic, "subscribe", *options) as client:
        assert "ask for mode SAMPLE" in client.until("TARGET_DEFINED.*?SAMPLE")


def test_tls(gnmic: Command, box: Credentials) -> None:
    ask = (GNMIC, "--address", box.address, "--timeout", "5s")
    trusted = ("--tls-ca", box.ca, "--tls-server-name", box.server_name)
    output(*ask, *trusted, "capabilities", fails=True)  # no certificate of a client
    output(*ask, "--insecure", "capabilities", fails=True)


@pytest.mark.parametrize("right", [True, False])
def test_password(locked: Credentials, right: bool) -> None:
    secret = locked.password if right else "wrong"
    options = ("--address", locked.address, "--tls-ca", locked.ca, "--tls-server-name", locked.server_name)
    names = ("--username", locked.username, "--password", secret)
    said = output(GNMIC, *options, *names, "get", "--path", "/system/state/hostname", fails=not right)
    assert right or "password" in said
