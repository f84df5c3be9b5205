"""Configurations in RFC 7951 form, as they stand in tests/cases, brought to models and resources."""

import functools
import json
from pathlib import Path as File
from pathlib import PurePath
from typing import Any
from uuid import UUID

from twinplane.model.host import Accelerator, Capabilities
from twinplane.model.image import Image
from twinplane.model.registry import Model, read
from twinplane.plan.context import Context
from twinplane.plan.plan import resources
from twinplane.plan.resource import Key, Resource
from twinplane.schema.compile import load_schema
from twinplane.schema.defaults import with_defaults
from twinplane.schema.json_ietf import decode
from twinplane.schema.resolve import resolve
from twinplane.schema.table import SchemaTable
from twinplane.tree.diff import objects
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT

CASES = File(__file__).parents[2] / "cases"
INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
STATE_DIR = PurePath("/var/lib/twinplane")
CAPABILITIES = Capabilities(
    cpus=2,
    memory=4 << 30,
    reserve_cpu=0,
    reserve_memory=1 << 30,
    accelerator=Accelerator.TCG,
    overhead=256 << 20,
)


@functools.cache
def table() -> SchemaTable:
    return load_schema(File(__file__).parents[3] / "yang", None).default


def tree(data: bytes) -> Container:
    """The tree of a whole configuration."""
    node = decode(table(), resolve(table(), ROOT, write=True), data)
    assert isinstance(node, Container)
    return node


def models(root: Container) -> list[Model]:
    """Its objects as planners take them."""
    found = [read(path, with_defaults(table(), path, entry)) for path, entry in objects(root)]
    return [model for model in found if model is not None]


def context(found: list[Model], accelerator: Accelerator = Accelerator.TCG) -> Context:
    images = {model.name: model for model in found if isinstance(model, Image)}
    host = Capabilities(**{**_fields(CAPABILITIES), "accelerator": accelerator})
    return Context(INSTANCE, host, images, STATE_DIR)


def realised(configuration: dict[str, Any]) -> dict[Key, Resource]:
    """What realises a configuration."""
    found = models(tree(json.dumps(configuration).encode()))
    return resources(found, context(found))


def _fields(capabilities: Capabilities) -> dict[str, Any]:
    return {name: getattr(capabilities, name) for name in capabilities.__slots__}
