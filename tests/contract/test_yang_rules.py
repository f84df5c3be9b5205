"""The rules that every module of ours keeps, beside what pyang finds."""

import itertools
import pathlib
import re
import subprocess
import sys
import sysconfig
import tomllib

import pytest

from twinplane.schema.compile import load_schema, standard_directories
from twinplane.schema.number import INTEGERS
from twinplane.schema.scalar import codec_of
from twinplane.schema.table import NodeKind, SchemaNode, TypeSpec

ROOT = pathlib.Path(__file__).parents[2]
YANG = ROOT / "yang"
FIXTURES = ROOT / "tests" / "fixtures" / "yang"
TABLE = load_schema(YANG, None).default
OURS = sorted(YANG.glob("*.yang"))

EFFECTS = ("NONE", "LIVE", "LINK_FLAP", "GUEST_REBOOT", "RECREATE")

NODES = list(TABLE.nodes())
LEAVES = list(TABLE.leaves())
CONFIG = [leaf for leaf in LEAVES if leaf.config]
LISTS = [node for node in NODES if node.kind is NodeKind.LIST]


def text(node: SchemaNode) -> str:
    return "/" + "/".join(node.path)


def members(spec: TypeSpec | None) -> list[TypeSpec]:
    """The types a value can have, references and unions dissolved."""
    if spec is None:
        return []
    return [found for member in spec.members for found in members(member)] if spec.members else [spec]


def key_like(leaf: SchemaNode) -> bool:
    """True for a list key and for the leaf that mirrors one."""
    entries = [TABLE.find(leaf.path[:depth]) for depth in range(1, len(leaf.path))]
    return any(
        leaf.path
        in {*((*entry.path, key) for key in entry.keys), *(entry.path + mirror for mirror in entry.mirrors)}
        for entry in entries
        if entry is not None and entry.kind is NodeKind.LIST
    )


@pytest.mark.parametrize("directory", [YANG, FIXTURES], ids=["modules", "fixture"])
def test_pyang_finds_nothing(directory: pathlib.Path) -> None:
    search = ":".join(str(found) for found in (YANG, FIXTURES, *standard_directories()))
    pyang = pathlib.Path(sysconfig.get_path("scripts")) / "pyang"
    files = [str(file) for file in sorted(directory.glob("*.yang"))]
    checked = subprocess.run(
        [sys.executable, str(pyang), "--strict", "--lint", "--max-line-length", "110", "-p", search, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


def test_every_module_is_listed() -> None:
    listed = tomllib.loads((YANG / "modules.toml").read_text())["origins"]["openconfig"]
    assert {file.stem for file in OURS} == {name for name in listed if name.startswith("twinplane-")}


def test_migrations_can_be_read() -> None:
    assert tomllib.loads((YANG / "migrations.toml").read_text()) == {}


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_modules_have_a_semantic_version_and_no_operations(file: pathlib.Path) -> None:
    content = file.read_text()
    assert re.search(r'tp-ext:module-version "\d+\.\d+\.\d+";', content)
    assert not re.search(r"^\s*(rpc|action|anydata|anyxml)\s", content, re.MULTILINE)
    assert not re.search(r"[ \t]+$", content, re.MULTILINE)
    assert "\t" not in content


@pytest.mark.parametrize("node", NODES, ids=text)
def test_names_and_descriptions(node: SchemaNode) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", node.name)
    assert node.description.endswith(".")
    for spec in members(node.type):
        assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", enum) for enum in spec.enums)


@pytest.mark.parametrize("leaf", LEAVES, ids=text)
def test_every_number_has_a_unit(leaf: SchemaNode) -> None:
    if any(spec.base in INTEGERS or spec.base == "decimal64" for spec in members(leaf.type)):
        assert leaf.units


@pytest.mark.parametrize("leaf", CONFIG, ids=text)
def test_every_config_leaf_says_what_its_change_does(leaf: SchemaNode) -> None:
    best = leaf.extensions.get("apply-effect")
    worst = leaf.extensions.get("apply-effect-worst", best)
    if key_like(leaf) or "label" in leaf.extensions:
        assert best is None
        assert worst is None
    else:
        assert best in EFFECTS
        assert worst in EFFECTS
        assert EFFECTS.index(best) <= EFFECTS.index(worst)
    assert "telemetry-on-change" not in leaf.extensions
    assert "operational" not in leaf.extensions


@pytest.mark.parametrize("leaf", LEAVES, ids=text)
def test_leaves_lie_in_config_and_state(leaf: SchemaNode) -> None:
    parent = TABLE.find(leaf.path[:-1])
    assert parent is not None
    if leaf.name in parent.keys:
        return
    above = [name for name in leaf.path if name in ("config", "state")]
    assert above == (["config"] if leaf.config else ["state"])


@pytest.mark.parametrize("entry", LISTS, ids=text)
def test_lists_lie_in_a_container_and_have_mirrored_keys(entry: SchemaNode) -> None:
    parent = TABLE.find(entry.path[:-1])
    assert parent is not None
    assert parent.kind is NodeKind.CONTAINER
    assert parent.name != entry.name
    assert entry.keys
    for key, mirror in zip(entry.keys, entry.mirrors, strict=True):
        assert mirror == ("config" if entry.config else "state", key)
        twin = TABLE.find(entry.path + mirror)
        assert twin is not None


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if "state" in leaf.path], ids=text)
def test_state_mirrors_config(leaf: SchemaNode) -> None:
    place = len(leaf.path) - 1 - leaf.path[::-1].index("state")
    intent = TABLE.find((*leaf.path[:place], "config", *leaf.path[place + 1 :]))
    if intent is None:
        return
    assert intent.kind is leaf.kind
    assert [spec.base for spec in members(intent.type)] == [spec.base for spec in members(leaf.type)]
    assert intent.units == leaf.units
    assert "operational" not in leaf.extensions, "the applied form of a config leaf is not derived"
    assert "label" not in intent.extensions, "nothing on the host can answer for a label"


def test_state_that_mirrors_nothing_is_operational() -> None:
    wrong = []
    for leaf in LEAVES:
        if leaf.config or key_like(leaf) or "operational" in leaf.extensions:
            continue
        place = leaf.path.index("state")
        if TABLE.find((*leaf.path[:place], "config", *leaf.path[place + 1 :])) is None:
            wrong.append(text(leaf))
    assert wrong == ["/system/state/hostname"]  # the applied form of a leaf that we do not serve


def test_references_name_the_key_of_an_object() -> None:
    own = {leaf.path for leaf in LEAVES if key_like(leaf)}
    for leaf in LEAVES:
        spec = leaf.type
        if spec is None or spec.base != "leafref":
            continue
        inside = spec.target[:2] == leaf.path[:2]
        assert (leaf.path in own and inside) or leaf.path in TABLE.leafrefs, text(leaf)
    for path, target in TABLE.leafrefs.items():
        entry = TABLE.find(target)
        assert entry is not None
        assert entry.kind is NodeKind.LIST
        assert len(target) == 2, path


def test_references_between_objects_require_no_instance() -> None:
    for file in OURS:
        for block in re.findall(r"type leafref \{(.*?)\}", file.read_text(), re.DOTALL):
            assert ('path "/' in block) == ("require-instance false;" in block), f"{file.stem}: {block}"


def test_nothing_reaches_out_of_its_object() -> None:
    """`must`, `when` and `unique` may climb within an object and never name another from the root."""
    import pyang.context
    import pyang.repository

    search = ":".join(str(found) for found in (YANG, *standard_directories()))
    context = pyang.context.Context(pyang.repository.FileRepository(search, use_env=False))
    for file in OURS:
        assert context.search_module(None, file.stem) is not None
    context.validate()
    seen = 0
    for file in OURS:
        module = next(found for found in context.modules.values() if found.arg == file.stem)
        pending = [(child, 1) for child in module.i_children]
        while pending:
            node, depth = pending.pop()
            choice = node.keyword in ("choice", "case")
            pending.extend((child, depth + (not choice)) for child in getattr(node, "i_children", []))
            for constraint in itertools.chain(node.search("must"), node.search("when")):
                seen += 1
                expression = re.sub(r"'[^']*'|\"[^\"]*\"", "", constraint.arg)
                assert not re.search(r"(^|[\s(,=<>|+\-*\[])/", expression), f"{node.arg}: {constraint.arg}"
                assert "deref(" not in expression
                climbs = max(
                    (len(run.split("..")) - 1 for run in re.findall(r"(?:\.\./?)+", expression)), default=0
                )
                assert depth - climbs >= 2, f"{node.arg}: {constraint.arg}"
            for unique in node.search("unique"):
                seen += 1
                assert depth >= 2, f"{node.arg}: {unique.arg}"
                assert depth > 2, f"unique over objects needs a named rule: {node.arg}"
    assert seen >= 4


def test_no_mandatory_node_directly_in_a_top_level_container() -> None:
    for root in TABLE.roots.values():
        assert root.kind is NodeKind.CONTAINER
        for child in root.children.values():
            assert child.kind is NodeKind.LIST or not any(
                node.mandatory and not _below_a_list(node) for node in NODES if node.path[:2] == child.path
            )


def _below_a_list(node: SchemaNode) -> bool:
    return any(
        found is not None and found.kind is NodeKind.LIST
        for found in (TABLE.find(node.path[:depth]) for depth in range(1, len(node.path)))
    )


def test_counters_are_polled_and_everything_else_comes_by_event() -> None:
    polled = {text(leaf) for leaf in LEAVES if not leaf.config and not key_like(leaf)} - {
        text(leaf) for leaf in LEAVES if "telemetry-on-change" in leaf.extensions
    }
    assert {path for path in polled if "/counters/" not in path} == {
        "/appliances/appliance/compute/share/state/delivered",
        "/appliances/appliance/memory/state/rss",
        "/components/component/chassis/utilization/resources/resource/state/used",
        "/system/host/sources/source/state/last-update",
    }


def test_the_remarks_that_a_client_has_to_read() -> None:
    def description(path: str) -> str:
        node = TABLE.find(tuple(path.split("/")))
        assert node is not None
        return node.description

    assert "no grace" in description("appliances/appliance")
    assert "does not change its administrative state" in description(
        "virtual-switches/virtual-switch/ports/port"
    )
    assert "towards the appliance" in description("appliances/appliance/vnics/vnic")
    assert "towards the appliance" in description("interfaces/interface/state/counters")


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.stem)
def test_no_pattern_is_inverted(file: pathlib.Path) -> None:
    """goyang and ygot take `modifier invert-match` for nothing, and would refuse every good value."""
    assert "invert-match" not in file.read_text()


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        (
            ("virtual-switches", "virtual-switch", "state", "interface"),
            ("a", ".a", "..a", "...", "a.b", "a..", "br0"),
            (".", "..", "a/b", "a:b", "a b", ""),
        ),
        (
            ("images", "image", "config", "kernel-source"),
            ("a", "a/b", "..a", "a..", ".a", "./a", "...", "a/..b/c", "a/b..", "a//b", "a/"),
            ("..", "../a", "a/..", "a/../b", "/a", "../..", "a/b/..", ""),
        ),
        (
            ("appliances", "appliance", "vnics", "vnic", "config", "mac-address"),
            ("02:00:00:00:00:00", "00:00:00:00:00:01", "fe:ff:ff:ff:ff:ff"),
            ("00:00:00:00:00:00", "01:00:00:00:00:00", "02:00:00:00:00"),
        ),
    ],
    ids=["device-name", "relative-path", "mac-address"],
)
def test_what_the_patterns_leave_out(
    path: tuple[str, ...], good: tuple[str, ...], bad: tuple[str, ...]
) -> None:
    leaf = TABLE.find(path)
    assert leaf is not None
    for text_ in good:
        codec_of(leaf).parse_text(text_)
    for text_ in bad:
        with pytest.raises(ValueError, match=r"."):
            codec_of(leaf).parse_text(text_)
