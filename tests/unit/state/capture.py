"""Reads captures: facts as a source gave them, kept as JSON beside what they have to become."""

import json
from dataclasses import fields
from pathlib import Path as File
from typing import Any
from uuid import UUID

from twinplane.model.host import Accelerator, Capabilities, Capability
from twinplane.plan import resource
from twinplane.state import facts
from twinplane.state.facts import DomainVnic, Fact
from twinplane_wire.path import parse


def read(file: File) -> tuple[Fact, ...]:
    """The facts of one capture."""
    return tuple(_fact(name, values) for name, values in json.loads(file.read_text()))


def _fact(name: str, values: dict[str, Any]) -> Fact:
    kind = getattr(facts, name, None) or getattr(resource, name)
    given = {field.name: values[field.name] for field in fields(kind) if field.init and field.name in values}
    if isinstance(given.get("owner"), str):
        given["owner"] = parse(given["owner"])
    if name == "Seed":
        given |= {"uuid": UUID(given["uuid"]), "files": ()}
    if name == "DomainFact":
        given["vnics"] = tuple(DomainVnic(*vnic) for vnic in given["vnics"])
    if name == "HostFact":
        host = given["capabilities"]
        features = tuple(Capability(*feature) for feature in host["features"])
        given["capabilities"] = Capabilities(
            **{**host, "accelerator": Accelerator(host["accelerator"]), "features": features}
        )
    return kind(**given)  # type: ignore[no-any-return]
