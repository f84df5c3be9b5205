"""What an older program stored is read with today's names."""

import json
import shutil
from pathlib import Path

import pytest

from twinplane.errors import StartError
from twinplane.object_codec import ObjectCodec
from twinplane.schema.compile import load_schema
from twinplane.schema.rename import read_renames, renamed
from twinplane_wire.path import parse

YANG = Path(__file__).parents[3] / "yang"
LAN = parse("/virtual-switches/virtual-switch[name=lan]")
TOP = "/virtual-switches/virtual-switch"


def listed(folder: Path, *pairs: tuple[str, str]) -> Path:
    """A directory with renames."""
    rows = [f'[[rename]]\nversion = "1"\nfrom = "{old}"\nto = "{new}"\n' for old, new in pairs]
    (folder / "migrations.toml").write_text("".join(rows))
    return folder


@pytest.mark.parametrize(
    ("old", "new", "stored", "read"),
    [
        ("config/old", "config/new", {"m:config": {"old": 1}}, {"m:config": {"new": 1}}),
        ("config", "settings", {"m:config": {"a": 1}}, {"m:settings": {"a": 1}}),
        ("config/old", "more/new", {"m:config": {"old": 1}}, {"m:config": {}, "more": {"new": 1}}),
        ("a/deep/old", "new", {"m:a": {"deep": {"old": 1}}}, {"m:a": {"deep": {}}, "new": 1}),
        (
            "ports/port/config/old",
            "ports/port/config/new",
            {"m:ports": {"port": [{"config": {"old": 1}}, {"config": {"m:old": 2}}, {}]}},
            {"m:ports": {"port": [{"config": {"new": 1}}, {"config": {"m:new": 2}}, {}]}},
        ),
        ("config/old", "config/new", {"m:config": {"other": 1}}, {"m:config": {"other": 1}}),
        ("config/old", "config/new", {"m:config": {"old": 1, "new": 2}}, {"m:config": {"new": 2}}),
    ],
)
def test_a_node_gets_its_new_name(tmp_path: Path, old: str, new: str, stored: object, read: object) -> None:
    renames = read_renames(listed(tmp_path, (f"{TOP}/{old}", f"{TOP}/{new}")))
    assert renamed(LAN, stored, renames) == read


def test_renames_follow_each_other(tmp_path: Path) -> None:
    first, second = (f"{TOP}/config/a", f"{TOP}/config/b"), (f"{TOP}/config/b", f"{TOP}/config/c")
    renames = read_renames(listed(tmp_path, first, second))
    assert renamed(LAN, {"config": {"a": 1}}, renames) == {"config": {"c": 1}}


def test_other_objects_are_left_alone(tmp_path: Path) -> None:
    renames = read_renames(listed(tmp_path, ("/images/image/config/a", "/images/image/config/b")))
    assert renamed(LAN, {"config": {"a": 1}}, renames) == {"config": {"a": 1}}


@pytest.mark.parametrize(
    "text", ["[[rename]]\nfrom = '/a'", "rename = 3", "what", "[[rename]]\nfrom=1\nto=2"]
)
def test_what_is_no_list_of_renames_is_refused_at_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "migrations.toml").write_text(text)
    with pytest.raises(StartError, match="no list of renames"):
        read_renames(tmp_path)


def test_a_stored_object_is_read_with_the_new_name(tmp_path: Path) -> None:
    for file in YANG.glob("*"):
        shutil.copy(file, tmp_path)
    schemas = load_schema(listed(tmp_path, (f"{TOP}/config/title", f"{TOP}/config/name")), None)
    body = json.dumps({"twinplane-virtual-switch:config": {"title": "lan"}}).encode()
    read = ObjectCodec(schemas).decode(LAN, body)
    assert read == ObjectCodec(schemas).decode(LAN, body.replace(b"title", b"name"))
