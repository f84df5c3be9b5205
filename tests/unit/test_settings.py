"""Settings: the file, the environment on top, and one clear line for each mistake."""

from dataclasses import fields
from pathlib import Path

import pytest

from twinplane.errors import StartError
from twinplane.settings import AcceleratorSetting, Settings, TlsMode, load

ROOT = Path(__file__).parents[2]


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None, {}) == Settings()


def test_the_shipped_file_says_the_defaults() -> None:
    assert load(ROOT / "agent/packaging/agent.toml", {}) == Settings()


def test_the_shipped_file_names_every_setting() -> None:
    text = (ROOT / "agent/packaging/agent.toml").read_text()
    for section in fields(Settings):
        assert f"[{section.name}]" in text
        for setting in fields(getattr(Settings(), section.name)):
            assert f"{setting.name} = " in text


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[listen]\nmode = "PASSWORD"\naddresses = ["a:1"]\n[reserve]\nmemory = 64\n')
    settings = load(
        file, {"TWINPLANE_RESERVE_MEMORY": "32", "TWINPLANE_LISTEN_ADDRESSES": "b:2,c:3", "OTHER": "x"}
    )
    assert settings.listen.mode is TlsMode.PASSWORD
    assert settings.listen.addresses == ("b:2", "c:3")
    assert settings.reserve.memory == 32
    assert settings.hypervisor.accelerator is AcceleratorSetting.AUTO


def test_an_empty_variable_is_a_mistake_and_not_the_working_directory() -> None:
    for name in ("AGENT_STATE_DIR", "LISTEN_ADDRESSES", "RESERVE_CPU"):
        with pytest.raises(StartError, match=name.lower().replace("_", ".", 1)):
            load(None, {f"TWINPLANE_{name}": ""})


def test_a_wrong_variable_is_told_by_its_name_and_not_as_a_fault_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('log = "INFO"\n')
    with pytest.raises(StartError, match=r"unknown section \[log\]"):
        load(file, {"TWINPLANE_LOG_LEVEL": "DEBUG"})
    file.write_text('[log]\nlevel = "INFO"\n')
    with pytest.raises(StartError, match=r"^TWINPLANE_LOG_LEVEL: log\.level must be one of"):
        load(file, {"TWINPLANE_LOG_LEVEL": "debug"})


def test_a_path_in_a_variable_is_taken_from_where_the_agent_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "agent.toml"
    file.touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert load(file, {"TWINPLANE_AGENT_STATE_DIR": "st"}).agent.state_dir == tmp_path / "here/st"


@pytest.mark.parametrize("address", ["localhost:0", "[::1]:9339", "[fe80::1%eth0]:1", "192.0.2.7:65535"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    assert load(None, {"TWINPLANE_LISTEN_ADDRESSES": address}).listen.addresses == (address,)


@pytest.mark.parametrize(
    "address", ["localhost", "localhost:99999", "::1:9339", ":9339", "9339", "unix:/run/x", "a:b", "a b:1"]
)
def test_what_is_no_address_is_refused_before_the_host_is_touched(address: str) -> None:
    with pytest.raises(StartError, match=r"listen\.addresses: .* write host:port"):
        load(None, {"TWINPLANE_LISTEN_ADDRESSES": address})


def test_blanks_around_addresses_are_no_part_of_them() -> None:
    assert load(None, {"TWINPLANE_LISTEN_ADDRESSES": "a:1, b:2"}).listen.addresses == ("a:1", "b:2")


def test_truth_values_are_read_from_both(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("[gnmi]\nrequire_arbitration = true\n")
    assert load(file, {}).gnmi.require_arbitration is True
    assert load(file, {"TWINPLANE_GNMI_REQUIRE_ARBITRATION": "false"}).gnmi.require_arbitration is False


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('[agent]\nstate_dir = "state"\n')
    assert load(file, {}).agent.state_dir == tmp_path / "state"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[agent]\nstate = 1\n", "agent.state"),
        ("[agnt]\n", "agnt"),
        ("[reserve]\nmemory = -1\n", "reserve.memory"),
        ("[reserve]\nmemory = 1000000000001\n", "reserve.memory"),
        pytest.param(f'[reserve]\nmemory = "{"9" * 5000}"\n', "reserve.memory", id="many digits"),
        ('[agent]\nstate_dir = "a\\u0000b"\n', "agent.state_dir"),
        ("[reserve]\ncpu = true\n", "reserve.cpu"),
        ('[listen]\nmode = "OPEN"\n', "MUTUAL, PASSWORD"),
        ("[listen]\naddresses = [1]\n", "listen.addresses"),
        ("[agent]\nstate_dir = 3\n", "agent.state_dir"),
        ('[agent]\nstate_dir = ""\n', "agent.state_dir"),
        ('[listen]\naddresses = [""]\n', "listen.addresses"),
        ("[gnmi]\nrequire_arbitration = 1\n", "gnmi.require_arbitration"),
        ('[gnmi]\nleaf_list_update = "add"\n', "merge, replace"),
        ("[agent\n", "not valid TOML"),
        ("[limits]\nstreams = 0\n", "limits.streams"),
        ("[history]\ncommits = 0\n", "history.commits"),
        ("[history]\ncommits = 9223372036854775808\n", "history.commits"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(StartError, match=named.replace(".", r"\.")) as caught:
        load(file, {})
    assert "\n" not in str(caught.value).strip()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="No such file"):
        load(tmp_path / "none.toml", {})
