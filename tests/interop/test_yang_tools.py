"""goyang and ygot over our YANG, and the Go types made of it fed with what Get returns."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent
from interop.box import output
from interop.install import GOYANG, YANG, checker, go_program
from twinplane.schema.compile import standard_directories
from twinplane_wire.gnmi import gnmi_pb2

pytestmark = [pytest.mark.interop, pytest.mark.timeout(1200)]


def test_goyang_reads_every_module() -> None:
    modules = sorted(YANG.glob("twinplane-*.yang"))
    paths = [f"--path={folder}" for folder in (YANG, *standard_directories())]
    tree = output(go_program(GOYANG), *paths, *modules)
    for word in ("appliances", "virtual-switches", "oper-status"):
        assert word in tree


def get(agent: Agent, kind: int) -> Any:
    """The whole tree in JSON_IETF."""
    channel = agent.channel()
    request = gnmi_pb2.GetRequest(path=[gnmi_pb2.Path()], encoding=gnmi_pb2.JSON_IETF, type=kind)  # type: ignore[arg-type]
    answer = channel.unary_unary("/gnmi.gNMI/Get")(request.SerializeToString(), timeout=60)
    (notification,) = gnmi_pb2.GetResponse.FromString(answer).notification
    (update,) = notification.update
    channel.close()
    return json.loads(update.val.json_ietf_val)


@pytest.mark.parametrize("kind", ["ALL", "CONFIG", "STATE", "OPERATIONAL"])
def test_generated_structs_take_what_get_returns(agent: Agent, tmp_path: Path, kind: str) -> None:
    tree = get(agent, gnmi_pb2.GetRequest.DataType.Value(kind))
    file = tmp_path / "tree.json"
    file.write_text(json.dumps(tree))
    again = json.loads(output(checker(), file, *(["strict"] if kind == "CONFIG" else [])))
    assert leaves(again) == leaves(tree)


def test_generated_structs_refuse_what_is_wrong(agent: Agent, tmp_path: Path) -> None:
    """The check is a check."""
    tree = get(agent, gnmi_pb2.GetRequest.CONFIG)
    (switch,) = tree["twinplane-virtual-switch:virtual-switches"]["virtual-switch"]
    switch["config"]["mtu"] = "many"
    file = tmp_path / "tree.json"
    file.write_text(json.dumps(tree))
    assert "unmarshal" in output(checker(), file, fails=True)


def leaves(node: Any, path: str = "") -> dict[str, Any]:
    """Every leaf by its path without module names; entries of lists by their position when sorted."""
    if isinstance(node, dict):
        found: dict[str, Any] = {}
        for name, child in node.items():
            found |= leaves(child, f"{path}/{name.rpartition(':')[2]}")
        return found
    if isinstance(node, list) and node and isinstance(node[0], dict):
        found = {}
        for position, child in enumerate(
            sorted(node, key=lambda one: json.dumps(leaves(one), sort_keys=True))
        ):
            found |= leaves(child, f"{path}[{position}]")
        return found
    if isinstance(node, list):
        return {path: sorted(map(str, node))}
    return {path: node}
