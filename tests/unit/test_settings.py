"""Settings: the file, the environment on top, and one clear line for each mistake."""

from pathlib import Path

import pytest

from twinplane.errors import StartError
from twinplane.settings import AcceleratorSetting, Settings, TlsMode, load

ROOT = Path(__file__).parents[2]


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None, {}) == Settings()


def test_the_shipped_file_says_the_defaults() -> None:
    assert load(ROOT / "agent/packaging/agent.toml", {}) == Settings()


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
