"""libyang judges objects: each as a document of its own, so that the cost follows the change.

The only file besides `context.py` that knows libyang.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import oopt_gnpy_libyang as libyang
import orjson

from twinplane.aside import check_wanted
from twinplane.errors import MOST_VIOLATIONS, Fault, RequestError, Violation
from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.schema.context import load_context
from twinplane.schema.encode import encode
from twinplane.schema.table import NodeKind, SchemaNode, SchemaTable
from twinplane.tree.node import Container
from twinplane_wire.path import Elem, Path

_SYNTAX = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
_ALL = (
    libyang.ValidationOptions.Present
    | libyang.ValidationOptions.MultiError
    | libyang.ValidationOptions.NoState
)

_KEY = re.compile(r"""\[([^=\]]+)=(['"])(.*?)\2\](?=\[|/|$)""", re.DOTALL)
_MANDATORY = re.compile(r'Mandatory node "([^"]+)" instance does not exist')
_CHOICE = re.compile(r'Mandatory choice "([^"]+)" data do not exist')
_UNIQUE = re.compile(r'Unique data leaf\(s\) "([^"]+)" not satisfied in "(.*)" and "(.*)"', re.DOTALL)
_REFERENCE = re.compile(
    r'Invalid leafref value "(.*)" - no target instance "([^"]+)" with the same value', re.DOTALL
)


class Validator:
    """Judges configuration objects against the constraints of their modules; threads take turns, object by
    object."""

    def __init__(self, schemas: Schemas) -> None:
        """Load the modules of all origins. Raises StartError."""
        self._schemas = schemas
        self._turn = threading.Lock()
        self._contexts = {origin: load_context(source) for origin, source in schemas.sources.items()}

    def judge(self, objects: Iterable[tuple[Path, Container]]) -> None:
        """Judge each object (config only, key leaves included, without defaults) at its resolved path.

        Raises:
            RequestError: all violations of all objects in path order, VALUE where libyang cannot read an
                object, else CONSTRAINT.
        """
        violations: list[Violation] = []
        for path, container in objects:
            if len(violations) > MOST_VIOLATIONS:
                break
            check_wanted()
            table = self._schemas.table(path.origin)
            context = self._contexts[path.origin or DEFAULT_ORIGIN]
            text = _document(table, path, container)
            with self._turn:  # what went wrong is asked of the context afterwards
                violations += _judged(context, table, path, text)
        if violations:
            raise RequestError(*sorted(violations, key=lambda violation: violation.path))


def _judged(context: libyang.Context, table: SchemaTable, path: Path, text: str) -> list[Violation]:
    try:
        context.parse_data(text, libyang.DataFormat.JSON, libyang.ParseOptions.Strict, _ALL)
    except libyang.Error:
        found = _violations(context, table, path, Fault.CONSTRAINT)
        # libyang adds false followers after a value it cannot read: then only those count
        try:
            context.clean_all_errors()
            context.parse_data(text, libyang.DataFormat.JSON, _SYNTAX, None)
        except libyang.Error:
            found = _violations(context, table, path, Fault.VALUE)
        context.clean_all_errors()
        return found
    return []


def _document(table: SchemaTable, path: Path, container: Container) -> str:
    """The object as a JSON_IETF document: its own text inside the names that lead to it."""
    top, node = (table.find(tuple(elem.name for elem in path.elems[:depth])) for depth in (1, 2))
    if top is None or node is None or len(path.elems) != 2:
        raise ValueError(f"{path} is no object")
    body = encode(container, node, ietf=True).decode()
    if node.kind is NodeKind.LIST:
        body = f"[{body}]"
    name = node.name if node.module == top.module else f"{node.module}:{node.name}"
    return f'{{"{top.module}:{top.name}":{{"{name}":{body}}}}}'


def _violations(context: libyang.Context, table: SchemaTable, path: Path, fault: Fault) -> list[Violation]:
    found = [
        _violation(
            table, path, str(item.data_path or ""), str(item.message or ""), fault, str(item.app_tag or "")
        )
        for item in islice(context.errors(), MOST_VIOLATIONS + 1)
    ]
    return list(dict.fromkeys(found)) or [
        Violation(path, fault, "libyang refuses the object without a reason")
    ]


def _violation(
    table: SchemaTable, owner: Path, data_path: str, message: str, fault: Fault, app_tag: str
) -> Violation:
    """One message of libyang in terms of gNMI paths."""
    path = _path(data_path, owner)
    message = message.strip().rstrip(".")
    node = table.find(tuple(elem.name for elem in path.elems))
    if node is None:
        return Violation(owner, fault, message, app_tag=app_tag)
    violation = Violation(path, fault, message, app_tag=app_tag)
    if match := _MANDATORY.match(message):
        name = match[1].rpartition(":")[2]
        # what libyang names is the parent, or where that is absent too, what would contain it
        return replace(
            violation, path=path.child(name), constraint="is mandatory and missing", remedy="set it"
        )
    if match := _CHOICE.match(message):
        cases = " or ".join(_alternatives(node, match[1]))
        return replace(
            violation,
            constraint=f"{match[1]!r} is mandatory and missing",
            remedy=f"set {cases}",
            app_tag="missing-choice",
        )
    if match := _UNIQUE.match(message):
        first, leaves = _path(match[2], owner), match[1].replace(" ", " and ")
        inner = tuple(Elem(name.rpartition(":")[2]) for name in match[1].split(" ")[0].split("/"))
        constraint = f"{leaves} must be unique, and {first.elems[-1]} has the same"
        return replace(violation, path=path.join(inner), constraint=constraint, app_tag="data-not-unique")
    if match := _REFERENCE.match(message):
        constraint = f"{orjson.dumps(match[1]).decode()} is not the value of {match[2]}"
        return replace(violation, constraint=constraint)
    return violation


def _alternatives(node: SchemaNode, choice: str) -> list[str]:
    return [
        name
        for name, child in node.children.items()
        if any(found.rpartition("/")[2] == choice for found, _ in child.choices)
    ]


def _path(text: str, owner: Path) -> Path:
    """The gNMI path of an instance path of libyang, which does not escape quotes inside key values."""
    elems: list[Elem] = []
    position = 0
    while position < len(text) and text[position] == "/":
        end = position + 1
        while end < len(text) and text[end] not in "/[":
            end += 1
        name = text[position + 1 : end].rpartition(":")[2]
        keys: list[tuple[str, str]] = []
        while match := _KEY.match(text, end):
            keys.append((match[1].rpartition(":")[2], match[3]))
            end = match.end()
        if end < len(text) and text[end] == "[":
            end = (text.find("]", end) + 1) or len(text)  # a position or a value of a leaf-list
        elems.append(Elem(name, tuple(keys)))
        position = end
    return Path(tuple(elems), owner.origin) if elems else owner
