"""What the composition root decides by itself: which models, what is asked of the host."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from twinplane.app import schema, wanted
from twinplane.errors import StartError
from twinplane.model.host import Accelerator
from twinplane.settings import Agent, Hypervisor, Reserve, Settings, load

YANG = Path(__file__).parents[2] / "yang"


def settings(tmp_path: Path, folder: Path) -> Settings:
    return replace(Settings(), agent=Agent(tmp_path / "s", tmp_path / "i", folder))


def test_the_models_of_the_setting_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "yang"
    shutil.copytree(YANG, folder)
    module = folder / "twinplane-image.yang"
    module.write_text(module.read_text().replace("Digest of the kernel file.", "What the kernel file has."))
    ours, theirs = schema(Settings(), None), schema(settings(tmp_path, folder), None)
    assert ours.digest != theirs.digest
    assert {module.name for module in ours.default.modules} == {
        module.name for module in theirs.default.modules
    }


def test_compiled_models_are_kept_and_found_again(tmp_path: Path) -> None:
    first = schema(Settings(), tmp_path)
    assert list(tmp_path.iterdir())
    assert schema(Settings(), tmp_path).digest == first.digest


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=str(tmp_path)):
        schema(settings(tmp_path, tmp_path / "nowhere"), None)


@pytest.mark.parametrize(
    ("chosen", "asked"), [("AUTO", None), ("TCG", Accelerator.TCG), ("KVM", Accelerator.KVM)]
)
def test_what_is_asked_of_the_host(chosen: str, asked: Accelerator | None) -> None:
    found = wanted(
        load(None, {"TWINPLANE_HYPERVISOR_ACCELERATOR": chosen, "TWINPLANE_RESERVE_MEMORY": "512"})
    )
    assert found.accelerator is asked
    assert found.reserve_memory == 512 << 20


def test_defaults_keep_a_gibibyte_for_the_host() -> None:
    assert Settings().hypervisor == Hypervisor()
    assert wanted(Settings()).reserve_memory == Reserve().memory << 20 == 1 << 30
