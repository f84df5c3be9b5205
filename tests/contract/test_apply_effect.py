"""What the models say that a change disturbs, against what the planner makes of it on a running appliance."""

import copy
import json
from typing import Any

import pytest

from contract.test_plan_coverage import FULL, Names, config_leaves
from twinplane.plan.plan import plan
from twinplane.plan.resource import ForeignValue
from twinplane.plan.step import Effect
from twinplane.schema.table import SchemaNode
from twinplane_wire.path import ROOT
from unit.plan.boxes import context, models, realised, tree

# Another value for each leaf of FULL; None where the models know one value only.
OTHER: dict[str, Any] = {
    "images/image/config/format": None,
    "images/image/config/kernel-source": "k2",
    "images/image/config/kernel-digest": "sha256:" + "1" * 64,
    "images/image/config/initrd-source": "i2",
    "images/image/config/initrd-digest": "sha256:" + "1" * 64,
    "images/image/config/command-line": "y",
    "virtual-switches/virtual-switch/config/mtu": 1300,
    "appliances/appliance/config/type": None,
    "appliances/appliance/config/image": "j",
    "appliances/appliance/config/admin-state": "STOPPED",
    "appliances/appliance/config/stop-timeout": 10,
    "appliances/appliance/compute/config/vcpus": 3,
    "appliances/appliance/compute/share/config/guarantee": 150,
    "appliances/appliance/compute/share/config/limit": 300,
    "appliances/appliance/memory/config/size": "134217728",
    "appliances/appliance/vnics/vnic/config/index": 4,
    "appliances/appliance/vnics/vnic/config/mac-address": "02:00:00:00:00:02",
    "appliances/appliance/vnics/vnic/config/mtu": 1300,
    "appliances/appliance/vnics/vnic/config/virtual-switch": "t",
    "appliances/appliance/vnics/vnic/share/ingress/config/limit": "128000",
    "appliances/appliance/vnics/vnic/share/ingress/config/burst": 18000,
    "appliances/appliance/vnics/vnic/share/egress/config/limit": "128000",
    "appliances/appliance/vnics/vnic/share/egress/config/burst": 18000,
    "appliances/appliance/bootstrap/files/file/config/content": "y",
    "interfaces/interface/config/type": None,
    "interfaces/interface/config/mtu": 1300,
    "interfaces/interface/config/enabled": True,
}
# Without these there is no entry, or the rest of it means nothing.
NEEDED = {"kernel-digest", "initrd-digest", "initrd-source", "limit", "virtual-switch"}
FOREIGN = {
    (device, name): ForeignValue(device, name, value, ROOT)
    for device in ("e", "p")
    for name, value in {"address-generation": 0, "up": 1, "mtu": 1500}.items()
}


def bounds(leaf: SchemaNode) -> tuple[Effect, Effect]:
    least = Effect[leaf.extensions["apply-effect"]]
    return least, Effect[leaf.extensions.get("apply-effect-worst", least.name)]


def box() -> dict[str, Any]:
    """The full configuration with its appliance running, and a second image and switch to change to."""
    full = copy.deepcopy(FULL)
    appliance(full)["config"]["admin-state"] = "RUNNING"
    images = full["twinplane-image:images"]["image"]
    images.append({**copy.deepcopy(images[0]), "name": "j"})
    images[1]["config"] |= {"name": "j", "kernel-source": "other"}
    switches = full["twinplane-virtual-switch:virtual-switches"]["virtual-switch"]
    switches.append({"name": "t", "config": {"name": "t", "mtu": 1400}})
    return full


def appliance(full: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = full["twinplane-appliance:appliances"]["appliance"][0]
    return found


def changed(full: dict[str, Any], path: Names, value: Any) -> dict[str, Any]:
    """The configuration with one leaf set, in the first entry of every list; None: without it."""
    result = copy.deepcopy(full)
    node: Any = result
    for name in path[:-1]:
        node = next(child for key, child in node.items() if key.rpartition(":")[2] == name)
        node = node[0] if isinstance(node, list) else node
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return result


def effect(before: dict[str, Any], after: dict[str, Any]) -> Effect:
    return plan(realised(before), realised(after), FOREIGN).effect


def claimed() -> dict[Names, SchemaNode]:
    """The config leaves that something follows from."""
    return {path: leaf for path, leaf in config_leaves().items() if "label" not in leaf.extensions}


def test_each_leaf_has_another_value_here() -> None:
    assert {"/".join(path) for path in claimed()} == set(OTHER)


def test_an_initial_disk_that_comes_or_goes_is_the_worst_of_its_source() -> None:
    path = ("images", "image", "config")
    least, worst = bounds(claimed()[(*path, "initrd-source")])
    without = changed(changed(box(), (*path, "initrd-source"), None), (*path, "initrd-digest"), None)
    assert least < effect(box(), without) == effect(without, box()) == worst


def test_each_leaf_says_what_its_change_disturbs() -> None:
    for leaf in claimed().values():
        least, worst = bounds(leaf)
        assert least <= worst, leaf.path


@pytest.mark.parametrize("path", [path for path, other in OTHER.items() if other is not None])
def test_a_change_disturbs_as_much_as_the_model_says(path: str) -> None:
    names = tuple(path.split("/"))
    leaf = claimed()[names]
    least, worst = bounds(leaf)
    before, after = box(), changed(box(), names, OTHER[path])
    for old, new in ((before, after), (after, before)):
        assert least <= effect(old, new) <= worst, f"{path}: {effect(old, new).name}"
    if leaf.mandatory or leaf.name in NEEDED:
        return
    without = changed(box(), names, None)
    for old, new in ((before, without), (without, before)):
        assert effect(old, new) <= worst, f"{path} present or not: {effect(old, new).name}"


def test_what_is_for_people_disturbs_nothing() -> None:
    for path, leaf in config_leaves().items():
        if "label" in leaf.extensions:
            assert realised(changed(box(), path, "z")) == realised(box()), path


def test_a_stopped_appliance_is_not_disturbed() -> None:
    admin = ("appliances", "appliance", "config", "admin-state")
    stopped = changed(box(), admin, "STOPPED")
    for path, value in OTHER.items():
        if value is None or not path.startswith("appliances/") or path.endswith("admin-state"):
            continue
        found = effect(stopped, changed(stopped, tuple(path.split("/")), value))
        assert found <= Effect.LIVE, f"{path}: {found.name}"


def test_the_box_here_is_one_that_can_be() -> None:
    found = models(tree(json.dumps(box()).encode()))
    assert len(found) == 6
    assert context(found).images.keys() == {"i", "j"}
