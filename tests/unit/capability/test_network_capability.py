"""What the probe of network features does to the host."""

from pathlib import Path

import pytest

from twinplane.capability import network


@pytest.mark.parametrize("loaded", [False, True])
def test_ifb_is_loaded_without_devices_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: bool
) -> None:
    """As a module it makes two devices at once unless told otherwise, and they would be nobody's."""
    asked = tmp_path / "asked"
    modprobe = tmp_path / "modprobe"
    modprobe.write_text(f'#!/bin/sh\necho "$@" >"{asked}"\n')
    modprobe.chmod(0o755)
    module = tmp_path / "ifb"
    if loaded:
        module.mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(network, "_IFB_MODULE", module)
    network._load_ifb()
    assert (asked.read_text().split() if asked.exists() else None) == (
        None if loaded else ["--quiet", "ifb", "numifbs=0"]
    )


def test_a_host_without_modprobe_is_probed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(network, "_IFB_MODULE", tmp_path / "ifb")
    network._load_ifb()
