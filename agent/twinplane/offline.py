"""Commands that need no running agent: the plan between two documents, the tree of the models."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File
from pathlib import PurePath
from uuid import UUID

from twinplane.app import schema, wanted
from twinplane.capability.host import capabilities
from twinplane.configuration import Configuration
from twinplane.errors import RequestError, StartError
from twinplane.model.host import Accelerator
from twinplane.model.rules import Host
from twinplane.plan.plan import plan
from twinplane.plan.text import text
from twinplane.schema.compile import Schemas
from twinplane.schema.json_ietf import decode
from twinplane.schema.resolve import resolve
from twinplane.schema.table import NodeKind, SchemaNode
from twinplane.schema.validate import Validator
from twinplane.settings import Settings
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, PathSyntaxError, parse

# Names in a plan depend on the instance; without a state directory it is this one.
NOWHERE = UUID(int=0)


def print_plan(settings: Settings, running: File, candidate: File) -> None:
    """Print the steps from one configuration (JSON_IETF, the whole box) to another; touches nothing.

    Raises:
        StartError: a file cannot be read.
        RequestError: a document, which a note names, does not fit the models or the rules.
    """
    schemas = schema(settings, None)
    with _blaming(running):
        before = _document(schemas, running)
    with _blaming(candidate):
        after = _document(schemas, candidate)
    asked = wanted(settings)
    box = Configuration(
        schemas,
        Validator(schemas),
        _instance(settings.agent.state_dir),
        capabilities(
            asked.accelerator or Accelerator.KVM,
            (),
            reserve_cpu=asked.reserve_cpu,
            reserve_memory=asked.reserve_memory,
        ),
        PurePath(settings.agent.state_dir),
        Host(link=lambda _: None, port_type=lambda _: None),
    )
    for file, left, right in ((running, NOTHING, before), (candidate, before, after)):
        with _blaming(file):
            box.judge(left, right, changes(left, right))
    old, new = box.resources(before, after, changes(before, after))
    print(text(plan(old, new, {})), end="")


def print_schema(settings: Settings, path: str) -> None:
    """Print the tree of the models below a schema path, one line a node (as RFC 8340 marks them).

    Raises:
        StartError: the path is malformed.
        RequestError: no module defines it.
    """
    try:
        wanted_path = parse(path)
    except PathSyntaxError as error:
        raise StartError(str(error)) from error
    table = schema(settings, None).default
    node = resolve(table, wanted_path, write=False).node
    if wanted_path.elems:
        print(_line(node, "", key=False))
    for line in _tree(node, "  " if wanted_path.elems else ""):
        print(line)


@contextmanager
def _blaming(file: File) -> Iterator[None]:
    """A refusal says which of the documents it is about."""
    try:
        yield
    except RequestError as error:
        error.add_note(str(file))
        raise


def _document(schemas: Schemas, file: File) -> Forest:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StartError(f"cannot read {file}: {error.strerror}") from error
    table = schemas.default
    root = decode(table, resolve(table, ROOT, write=True), content, replace=False)
    assert isinstance(root, Container)
    return Forest({"": root})


def _instance(state_dir: File) -> UUID:
    try:
        return UUID((state_dir / "instance-id").read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return NOWHERE


def _tree(node: SchemaNode, indent: str) -> Iterator[str]:
    for child in node.children.values():
        yield _line(child, indent, key=child.name in node.keys)
        yield from _tree(child, indent + "  ")


def _line(node: SchemaNode, indent: str, *, key: bool) -> str:
    access = "rw" if node.config else "ro"
    mark = {NodeKind.LIST: "*", NodeKind.LEAF_LIST: "*"}.get(node.kind, "")
    if node.kind is NodeKind.LEAF and not node.mandatory and not key:
        mark = "?"
    keys = f" [{' '.join(node.keys)}]" if node.keys else ""
    kind = f"  {node.type.base}" if node.type is not None else ""
    units = f"  ({node.units})" if node.units else ""
    default = f" = {node.default!s}" if node.default is not None else ""
    return f"{indent}{access} {node.name}{mark}{keys}{kind}{default}{units}"
