"""Modules → tables: what is compiled, the cache, and refusals."""

import pathlib
import subprocess
import sys

import pytest

from twinplane.errors import Fault, RequestError, StartError
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.table import NodeKind, SchemaTable
from twinplane_wire.path import parse

ROOT = pathlib.Path(__file__).parents[3]
YANG = ROOT / "yang"


def test_nodes_know_what_they_are(product: SchemaTable) -> None:
    appliance = product.find(("appliances", "appliance"))
    assert appliance is not None
    assert appliance.kind is NodeKind.LIST
    assert appliance.keys == ("name",)
    assert appliance.mirrors == (("config", "name"),)
    timeout = product.find(("appliances", "appliance", "config", "stop-timeout"))
    assert timeout is not None
    assert timeout.default == 60
    assert timeout.units == "seconds"
    assert timeout.config
    state = product.find(("appliances", "appliance", "state", "oper-status"))
    assert state is not None
    assert not state.config
    assert "telemetry-on-change" in state.extensions
    assert product.find(("appliances", "appliance", "vnics", "vnic", "config", "attachment")) is None


def test_defaults_are_typed(fixture: SchemaTable) -> None:
    config = ("samples", "settings", "config")
    defaults = {name: fixture.find((*config, name)) for name in ("enabled", "mask", "shape", "tags", "plain")}
    assert {name: node.default for name, node in defaults.items() if node} == {
        "enabled": True,
        "mask": 0x1F,
        "shape": "twinplane-fixture-types:CIRCLE",
        "tags": ("a", "b"),
        "plain": None,
    }
    weight = fixture.find(("samples", "sample", "pairs", "pair", "weight"))
    assert weight is not None
    assert weight.default == 50
    assert weight.units == "percent"


def test_choices_are_dissolved(fixture: SchemaTable) -> None:
    settings = fixture.find(("samples", "settings"))
    assert settings is not None
    assert settings.choice_defaults == (("transport", "tcp"),)
    assert settings.children["file-name"].choices == (("transport", "file"),)
    assert set(settings.children["file-name"].rivals) == {"tcp-port", "tcp-options"}
    assert set(settings.children["text-file"].rivals) == {"tcp-port", "tcp-options", "binary-file"}
    assert settings.children["config"].rivals == ()


def test_operational_on_a_container_means_its_leaves(fixture: SchemaTable) -> None:
    flag = fixture.find(("samples", "sample", "state", "derived", "flag"))
    ticks = fixture.find(("samples", "sample", "state", "ticks"))
    assert flag is not None
    assert ticks is not None
    assert "operational" in flag.extensions
    assert "operational" not in ticks.extensions


def test_leafrefs_to_other_objects(product: SchemaTable, fixture: SchemaTable) -> None:
    assert product.leafrefs == {
        ("appliances", "appliance", "config", "image"): ("images", "image"),
        ("appliances", "appliance", "vnics", "vnic", "config", "virtual-switch"): (
            "virtual-switches",
            "virtual-switch",
        ),
    }
    assert fixture.leafrefs == {
        ("samples", "sample", "more", "friend"): ("samples", "sample"),
        ("samples", "sample", "more", "friends"): ("samples", "sample"),
    }


def test_object_paths(product: SchemaTable) -> None:
    whole = parse("/appliances/appliance[name=a]")
    assert product.object_path(whole) == whole
    assert product.object_path(parse("/appliances/appliance[name=a]/config/image")) == whole
    assert product.object_path(parse("/system/host/state/instance-id")) == parse("/system/host")
    assert product.object_path(parse("/appliances")) is None
    assert product.object_path(parse("/appliances/appliance")) is None
    assert product.object_path(parse("/")) is None


def test_modules(product: SchemaTable, fixture: SchemaTable) -> None:
    modules = {module.name: module for module in product.modules}
    appliance = modules["twinplane-appliance"]
    assert appliance.organization == "Twinplane"
    assert appliance.version == "0.1.0"
    assert modules["ietf-interfaces"].implemented is False
    assert modules["ietf-interfaces"].version == modules["ietf-interfaces"].revision == "2018-02-20"
    assert modules["iana-if-type"].implemented
    assert "twinplane-fixture-deviations" in {module.name for module in fixture.modules}


def test_origins(schemas: Schemas) -> None:
    assert schemas.table("") is schemas.table("openconfig") is schemas.default
    assert schemas.table("fixture").origin == "fixture"
    with pytest.raises(RequestError) as caught:
        schemas.table("cisco")
    assert caught.value.violations[0].fault is Fault.NOT_SERVED


def test_a_deviated_node_is_known_and_not_supported(fixture: SchemaTable) -> None:
    hidden = fixture.find(("samples", "settings", "config", "hidden"))
    assert hidden is not None
    assert not hidden.supported


def _names(schemas: Schemas) -> list[object]:
    return [(node.path, node.default, node.units, dict(node.extensions)) for node in schemas.default.nodes()]


def test_a_broken_cache_is_rebuilt(tmp_path: pathlib.Path) -> None:
    fresh = load_schema(YANG, tmp_path)
    (cached,) = tmp_path.glob("schema-openconfig-*")
    good = cached.read_bytes()
    for broken in (b"", b"nonsense", good[:-100], good.replace(b'"stop-timeout"', b'"stop-timeout2"')):
        cached.write_bytes(broken)
        again = load_schema(YANG, tmp_path)
        assert _names(again) == _names(fresh)
        assert again.digest == fresh.digest
        assert cached.read_bytes() == good


def test_the_cache_follows_the_modules(tmp_path: pathlib.Path) -> None:
    yang = tmp_path / "yang"
    yang.mkdir()
    for file in YANG.iterdir():
        (yang / file.name).write_bytes(file.read_bytes())
    before = load_schema(yang, tmp_path / "cache")
    module = yang / "twinplane-appliance.yang"
    module.write_text(module.read_text().replace('default "60"', 'default "61"'))
    after = load_schema(yang, tmp_path / "cache")
    timeout = after.default.find(("appliances", "appliance", "config", "stop-timeout"))
    assert timeout is not None
    assert timeout.default == 61
    assert after.digest != before.digest
    assert len(list((tmp_path / "cache").iterdir())) == len(after.tables)


def test_a_cached_schema_needs_no_pyang(tmp_path: pathlib.Path) -> None:
    load_schema(YANG, tmp_path)
    program = (
        "import sys, pathlib; from twinplane.schema.compile import load_schema; "
        f"load_schema(pathlib.Path({str(YANG)!r}), pathlib.Path({str(tmp_path)!r})); "
        "print([name for name in sys.modules if name.split('.')[0] in ('pyang', 'oopt_gnpy_libyang')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{ROOT / 'agent'}:{ROOT / 'proto'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_wrong_directory_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StartError, match=r"modules\.toml"):
        load_schema(tmp_path, None)


def test_a_missing_module_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "modules.toml").write_text('[origins]\nopenconfig = ["no-such-module"]\n')
    with pytest.raises(StartError, match="no-such-module"):
        load_schema(tmp_path, None)


def test_a_wrong_module_is_named_with_its_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "modules.toml").write_text('[origins]\nopenconfig = ["wrong"]\n')
    (tmp_path / "wrong.yang").write_text(
        'module wrong {\n  namespace "urn:wrong";\n  prefix w;\n  leaf x {\n    type nothing;\n  }\n}\n'
    )
    with pytest.raises(StartError, match=r"wrong\.yang:5.*nothing"):
        load_schema(tmp_path, None)
