"""Nothing is configured that does nothing: config leaves are read for planning, nouns have their rules."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from twinplane.model.index import Touched, View
from twinplane.model.object_rule import OBJECT_RULES
from twinplane.model.registry import READERS, read
from twinplane.model.rules import HOST_RULES, Host
from twinplane.plan.order import RULES
from twinplane.plan.plan import KINDS
from twinplane.plan.resource import Noun
from twinplane.schema.table import SchemaNode
from twinplane.tree.diff import objects
from twinplane.tree.node import Container, Entries, Node
from unit.plan.boxes import table, tree

DIGEST = "sha256:" + "0" * 64

# Every config leaf there is, once.
FULL: dict[str, Any] = {
    "twinplane-image:images": {
        "image": [
            {
                "name": "i",
                "config": {
                    "name": "i",
                    "description": "x",
                    "format": "KERNEL",
                    "kernel-source": "k",
                    "kernel-digest": DIGEST,
                    "initrd-source": "i",
                    "initrd-digest": DIGEST,
                    "command-line": "x",
                },
            }
        ]
    },
    "twinplane-virtual-switch:virtual-switches": {
        "virtual-switch": [
            {
                "name": "s",
                "config": {"name": "s", "description": "x", "mtu": 1400},
                "ports": {"port": [{"interface": "p", "config": {"interface": "p"}}]},
            }
        ]
    },
    "twinplane-appliance:appliances": {
        "appliance": [
            {
                "name": "a",
                "config": {
                    "name": "a",
                    "description": "x",
                    "type": "twinplane-types:VIRTUAL_MACHINE",
                    "image": "i",
                    "admin-state": "STOPPED",
                    "stop-timeout": 9,
                },
                "compute": {"config": {"vcpus": 2}, "share": {"config": {"guarantee": 100, "limit": 200}}},
                "memory": {"config": {"size": "67108864"}},
                "vnics": {
                    "vnic": [
                        {
                            "name": "v",
                            "config": {
                                "name": "v",
                                "index": 3,
                                "mac-address": "02:00:00:00:00:01",
                                "mtu": 1400,
                                "virtual-switch": "s",
                            },
                            "share": {
                                "ingress": {"config": {"limit": "64000", "burst": 9000}},
                                "egress": {"config": {"limit": "64000", "burst": 9000}},
                            },
                        }
                    ]
                },
                "bootstrap": {
                    "files": {"file": [{"target": "t", "config": {"target": "t", "content": "x"}}]}
                },
            }
        ]
    },
    "twinplane-interfaces:interfaces": {
        "interface": [
            {
                "name": "e",
                "config": {
                    "name": "e",
                    "description": "x",
                    "type": "iana-if-type:ethernetCsmacd",
                    "mtu": 1400,
                    "enabled": False,
                },
            }
        ]
    },
}

Names = tuple[str, ...]


class Watched(Mapping[str, Node]):
    """Children that remember which of them were asked for."""

    def __init__(self, children: Mapping[str, Node], path: Names, seen: set[Names]) -> None:
        self._children = {name: watch(child, (*path, name), seen) for name, child in children.items()}
        self._path, self._seen = path, seen

    def __getitem__(self, name: str) -> Node:
        if name in self._children:
            self._seen.add((*self._path, name))
        return self._children[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._children)

    def __len__(self) -> int:
        return len(self._children)


def watch(node: Node, path: Names, seen: set[Names]) -> Node:
    if isinstance(node, Container):
        return Container(Watched(node.children, path, seen))
    if isinstance(node, Entries):
        return Entries(
            node.key_names,
            {key: Container(Watched(row.children, path, seen)) for key, row in node.entries.items()},
        )
    return node


def config_leaves() -> dict[Names, SchemaNode]:
    """Config leaves that a planner has to read: not keys, not what repeats a key, not labels."""
    mirrors = {(*node.path, *mirror) for node in table().nodes() for mirror in (node.mirrors or ()) if mirror}
    keys = {(*node.path, key) for node in table().nodes() for key in node.keys}
    return {
        leaf.path: leaf
        for leaf in table().leaves()
        if leaf.config and leaf.supported and leaf.path not in mirrors | keys
    }


def present(node: Node, path: Names) -> Iterator[Names]:
    if isinstance(node, Container):
        for name, child in node.children.items():
            yield from present(child, (*path, name))
    elif isinstance(node, Entries):
        for row in node.entries.values():
            yield from present(row, path)
    else:
        yield path


def test_the_full_configuration_here_is_full() -> None:
    missing = set(config_leaves()) - set(present(tree(json.dumps(FULL).encode()), ()))
    assert not missing, f"add these to FULL: {sorted(missing)}"


def test_every_config_leaf_is_read() -> None:
    seen: set[Names] = set()
    host = Host(link=lambda name: None, port_type=lambda name: None)
    for path, entry in objects(tree(json.dumps(FULL).encode())):
        watched = watch(entry, tuple(elem.name for elem in path.elems), seen)
        assert isinstance(watched, Container)
        view = View(path, watched, read(path, watched))
        for rule in OBJECT_RULES:
            assert not list(rule(view))
        for host_rule in HOST_RULES:
            assert not list(host_rule(Touched(path, None, view), host))
    unread = {
        path for path, leaf in config_leaves().items() if path not in seen and "label" not in leaf.extensions
    }
    assert not unread, f"no planner reads {sorted(unread)}"
    labels = {path for path, leaf in config_leaves().items() if "label" in leaf.extensions}
    assert not labels & seen, "a label that something reads is no label"


def test_every_configurable_list_has_a_reader_and_every_kind_a_planner() -> None:
    lists = {leaf[:2] for leaf in config_leaves()}
    assert lists == set(READERS)
    read_kinds = {type(read(path, entry)) for path, entry in objects(tree(json.dumps(FULL).encode()))}
    assert read_kinds - {type(None)} <= set(KINDS)
    assert len(KINDS) == len(READERS)


def test_every_noun_has_ordering_rules() -> None:
    assert set(RULES) == set(Noun)
