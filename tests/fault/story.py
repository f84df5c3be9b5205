"""What is done to the box while it is struck: from which configuration to which, and by what steps."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e import documents
from e2e.documents import APPLIANCE, IMAGE, switch_path

PLANS = Path(__file__).parent / "plans"
LAN, WAN, DMZ = (switch_path(name) for name in ("lan", "wan", "dmz"))
SPARE = "/appliances/appliance[name=fw2]"
PORT = "/interfaces/interface[name=hp0]"
RULES = "table inet firewall {\n}\n"


@dataclass(frozen=True, slots=True)
class Story:
    """A request that leads from one configuration to another."""

    name: str
    old: str
    new: str

    @property
    def points(self) -> tuple[str, ...]:
        """Its steps: phase, act, noun and name (digests as an asterisk), in order."""
        return tuple((PLANS / f"{self.name}.txt").read_text().splitlines())


CREATE = Story("create", "empty", "created")
DELETE = Story("delete", "created", "empty")
CHANGE = Story("change", "created", "changed")
STORIES = (CREATE, DELETE, CHANGE)


def request(images: Path, old: str, new: str) -> dict[str, Any]:
    """The one Set that leads from a configuration to another."""
    match old, new:
        case _, "empty":
            return {"delete": ["/appliances", "/virtual-switches", "/images", "/interfaces"]}
        case "empty", _:
            return {
                "replace": {
                    IMAGE: documents.image(images),
                    LAN: documents.switch("lan", "hp0"),
                    WAN: documents.switch("wan", "hp1"),
                    DMZ: documents.switch("dmz"),
                    PORT: {"config": {"name": "hp0", "mtu": 1700}},
                    APPLIANCE: _appliance(new),
                    SPARE: _spare(),
                }
            }
    ports = ("hp1",) if new == "created" else ()
    return {"replace": {WAN: documents.switch("wan", *ports), APPLIANCE: _appliance(new)}}


def _appliance(configuration: str) -> dict[str, Any]:
    """The firewall of the demo; changed, it has other shares and no limit in one direction."""
    created = configuration == "created"
    lan = documents.vnic("lan", 0, "lan")
    lan["share"] = {
        "ingress": {"config": {"limit": "50000000" if created else "20000000"}},
        **({"egress": {"config": {"limit": "50000000"}}} if created else {}),
    }
    others = (documents.vnic(name, index, name) for index, name in enumerate(("wan", "dmz"), 1))
    firewall = documents.appliance("fw1", lan, *others)
    firewall["compute"] = {"share": {"config": {"guarantee": 250, "limit": 400 if created else 300}}}
    firewall["bootstrap"] = {
        "files": {"file": [{"target": "rules.nft", "config": {"target": "rules.nft", "content": RULES}}]}
    }
    return firewall


def _spare() -> dict[str, Any]:
    """Another one that does not run, limited in both directions."""
    spare = documents.vnic("dmz", 0, "dmz")
    limit = {"config": {"limit": "30000000"}}
    spare["share"] = {"ingress": limit, "egress": limit}
    return documents.appliance("fw2", spare, documents.vnic("wan", 1, "wan"), **{"admin-state": "STOPPED"})


def golden(story: Story, steps: tuple[str, ...]) -> tuple[str, ...]:
    """The steps as the file has them; written anew with TWINPLANE_GOLDEN=1."""
    found = tuple(re.sub(r"images/[0-9a-f]{64}/", "images/*/", step) for step in steps)
    if os.environ.get("TWINPLANE_GOLDEN"):
        PLANS.mkdir(exist_ok=True)
        (PLANS / f"{story.name}.txt").write_text("\n".join(found) + "\n")
    return found
