"""Entries of the four kinds as the schema hands them over: judged, with defaults."""

from typing import Any
from uuid import UUID

from twinplane.model.host import Accelerator, Capabilities
from twinplane.model.index import Index, Touched, touched
from twinplane.model.reference import Leafrefs
from twinplane.tree.diff import diff
from twinplane.tree.node import Container, Entries
from twinplane_wire.path import Path

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
DIGEST = "sha256:" + "0" * 64
LEAFREFS: Leafrefs = {
    ("appliances", "appliance", "config", "image"): ("images", "image"),
    ("appliances", "appliance", "vnics", "vnic", "config", "virtual-switch"): (
        "virtual-switches",
        "virtual-switch",
    ),
}
CAPABILITIES = Capabilities(
    cpus=2,
    memory=4 << 30,
    reserve_cpu=0,
    reserve_memory=1 << 30,
    accelerator=Accelerator.TCG,
    overhead=256 << 20,
)


def container(**children: Any) -> Container:
    """A container; underscores in names are hyphens, None an absent node, a dict a container."""
    return Container(
        {
            name.rstrip("_").replace("_", "-"): container(**child) if isinstance(child, dict) else child
            for name, child in children.items()
            if child is not None and child != {}
        }
    )


def listed(key: str, rows: dict[str, Container]) -> Entries | None:
    entries = {(value,): Container({key: value, **row.children}) for value, row in rows.items()}
    return Entries((key,), entries) if entries else None


def image(name: str, **config: Any) -> Container:
    given = {
        "format": "KERNEL",
        "kernel_source": f"{name}/vmlinuz",
        "kernel_digest": DIGEST,
        "initrd_source": f"{name}/initrd.img",
        "initrd_digest": DIGEST,
        "command_line": "console=ttyS0",
    }
    return container(name=name, config={"name": name, **given, **config})


def switch(name: str, *ports: str, mtu: int = 1500) -> Container:
    rows = {port: container(config={"interface": port}) for port in ports}
    return container(name=name, config={"name": name, "mtu": mtu}, ports={"port": listed("interface", rows)})


def interface(
    name: str, *, enabled: bool = True, mtu: int | None = None, type_: str | None = None
) -> Container:
    return container(name=name, config={"name": name, "enabled": enabled, "mtu": mtu, "type": type_})


def vnic(name: str, index: int, switch_name: str, **more: Any) -> Container:
    shares = {
        direction: {"config": {"limit": limit, "burst": more.get(f"{direction}_burst")}}
        for direction in ("ingress", "egress")
        if (limit := more.get(direction))
    }
    config = {
        "name": name,
        "index": index,
        "mtu": more.get("mtu", 1500),
        "mac-address": more.get("mac"),
        "virtual-switch": switch_name,
    }
    return container(config=config, share=shares)


def appliance(
    name: str,
    *,
    image_name: str = "firewall",
    vnics: dict[str, Container] | None = None,
    files: dict[str, str] | None = None,
    memory: int = 256 << 20,
    guarantee: int | None = None,
    limit: int | None = None,
    state: str = "RUNNING",
    vcpus: int = 1,
    kind: str = "twinplane-types:VIRTUAL_MACHINE",
) -> Container:
    rows = {
        target: container(config={"target": target, "content": text})
        for target, text in (files or {}).items()
    }
    return container(
        name=name,
        config={
            "name": name,
            "type": kind,
            "image": image_name,
            "admin_state": state,
            "stop_timeout": 60,
        },
        compute={
            "config": {"vcpus": vcpus},
            "share": {"config": {"guarantee": guarantee, "limit": limit}},
        },
        memory={"config": {"size": memory}},
        vnics={"vnic": listed("name", vnics or {})},
        bootstrap={"files": {"file": listed("target", rows)}},
    )


def box(*, images: Any = (), switches: Any = (), appliances: Any = (), interfaces: Any = ()) -> Container:
    """The tree that holds these entries."""

    def entries(given: Any) -> Entries | None:
        return Entries(("name",), {(entry.children["name"],): entry for entry in given}) if given else None

    return container(
        images={"image": entries(images)},
        virtual_switches={"virtual-switch": entries(switches)},
        appliances={"appliance": entries(appliances)},
        interfaces={"interface": entries(interfaces)},
    )


def plain(path: Path, entry: Container) -> Container:
    return entry


def changes(old: Container, new: Container) -> tuple[Touched, ...]:
    return touched(diff(old, new).objects, plain)


def index_of(root: Container) -> Index:
    return Index(INSTANCE, LEAFREFS).evolve(changes(Container(), root))
