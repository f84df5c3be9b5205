"""Seed images: the same bytes each time, everything read back from the image itself."""

import os
import time
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.image.seed import SeedContent, SeedError, build, read
from twinplane.model.appliance import SeedFile
from twinplane.model.seed import target_flaw
from twinplane.plan.appliance.seed import digest

FILES = (
    SeedFile("etc/deep/er/file", "ü\n"),
    SeedFile("network", "lan 192.0.2.1/24\n"),
    SeedFile("r" * 100, "a name longer than Joliet takes"),
    SeedFile("rules.nft", ""),
)
CONTENT = SeedContent(
    mark="twinplane:3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10:/appliances/appliance[name=fw1]",
    uuid=UUID("ddeb0b2f-0000-5000-8000-000000000001"),
    hostname="fw1",
    files=FILES,
)


def test_what_goes_in_comes_out(tmp_path):
    file = tmp_path / "seed.iso"
    file.write_bytes(build(CONTENT, digest(FILES)))
    assert read(file) == CONTENT


def test_bytes_depend_on_content_only(monkeypatch):
    first = build(CONTENT, digest(FILES))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        os.environ.pop("SOURCE_DATE_EPOCH", None)
        assert build(CONTENT, digest(FILES)) == first
    finally:
        monkeypatch.undo()
        time.tzset()


def test_volume_is_what_the_data_source_looks_for():
    image = build(CONTENT, digest(FILES))
    assert image[32769:32774] == b"CD001"
    assert image[32808:32814] == b"cidata"
    year = image[32768 + 813 : 32768 + 817]  # volume creation date
    assert year in (b"1970", b"0000")


def test_meta_data_is_ours_and_user_data_is_there(tmp_path):
    import pycdlib

    file = tmp_path / "seed.iso"
    file.write_bytes(build(CONTENT, digest(FILES)))
    image = pycdlib.PyCdlib()
    image.open(str(file))
    found = {}
    for name in ("meta-data", "user-data"):
        with image.open_file_from_iso(rr_path=f"/{name}") as reader:
            found[name] = reader.read().decode()
    image.close()
    assert f"instance-id: {CONTENT.uuid}-" in found["meta-data"]
    assert "local-hostname: fw1\n" in found["meta-data"]
    assert found["user-data"] == "#cloud-config\n"


def test_user_data_that_is_given_is_kept(tmp_path):
    files = (SeedFile("user-data", "#!/bin/sh\n"),)
    content = SeedContent(CONTENT.mark, CONTENT.uuid, "fw1", files)
    file = tmp_path / "seed.iso"
    file.write_bytes(build(content, digest(files)))
    assert read(file).files == files


@pytest.mark.parametrize("target", ["../x", "a/../b", "/x", "a//b", "./x"])
def test_a_target_that_leaves_the_seed_is_refused(target):
    with pytest.raises(SeedError):
        build(SeedContent(CONTENT.mark, CONTENT.uuid, "fw1", (SeedFile(target, ""),)), "sha256:00")


@pytest.mark.parametrize("content", [b"", b"x" * 100_000])
def test_what_is_no_seed_is_said_to_be_none(tmp_path, content):
    file = tmp_path / "seed.iso"
    file.write_bytes(content)
    with pytest.raises(SeedError):
        read(file)


def test_a_damaged_seed_is_said_to_be_none(tmp_path):
    whole = build(CONTENT, digest(FILES))
    file = tmp_path / "seed.iso"
    cut = [whole[: len(whole) * part // 40] for part in range(40)]
    places = range(16 * 2048, 32 * 2048, 61)  # descriptors, path tables and folders
    changed = [whole[:place] + b"\x7f" + whole[place + 1 :] for place in places]
    refused = 0
    for content in cut + changed:
        file.write_bytes(content)
        try:
            read(file)
        except SeedError:
            refused += 1
    assert refused > 40


@pytest.mark.parametrize(
    "target",
    ["漢" * 64, "é" * 64, "é" * 33 + "/x", "x/" + "漢" * 30 + "/y/z", "/".join(["漢" * 12] * 7), "😀" * 32],
    ids=range(6),
)
def test_a_name_that_the_model_takes_can_be_written(tmp_path, target):
    files = (SeedFile("plain", "a"), SeedFile(target, "b"))
    assert target_flaw(target, frozenset({"plain", target})) is None
    content = SeedContent(CONTENT.mark, CONTENT.uuid, "fw1", files)
    file = tmp_path / "seed.iso"
    file.write_bytes(build(content, digest(files)))
    assert read(file).files == files


NAMES = st.sampled_from(
    ("user-data", "meta-data", "vendor-data", "network-config", "a", "A", "a.b", "ä", "é" * 20)
)
TARGETS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=5, unique=True)


@settings(max_examples=150, deadline=None)
@given(TARGETS)
def test_what_the_model_takes_can_be_written_and_what_it_refuses_is_named(tmp_path_factory, targets):
    """Whatever stands beside what: no set of targets passes the rules and fails when the seed is made."""
    flaws = {target: target_flaw(target, frozenset(targets)) for target in targets}
    if any(flaws.values()):
        return
    files = tuple(SeedFile(target, target) for target in sorted(targets))
    file = tmp_path_factory.mktemp("seed") / "seed.iso"
    file.write_bytes(build(SeedContent(CONTENT.mark, CONTENT.uuid, "fw1", files), digest(files)))
    assert read(file).files == files


@pytest.mark.parametrize("name", ["user-data", "meta-data", "vendor-data", "network-config"])
def test_what_the_data_source_reads_is_not_a_directory(name):
    target = f"{name}/part1"
    assert name in (target_flaw(target, frozenset({target})) or "")
