"""The XML face of the schema (RFC 7950): nodes to XML, and XML payloads to the JSON that `decode` reads.

The XML of a node is the element of that node itself; the whole of an origin, and a list without keys,
stand in a ``<config>`` element of NETCONF's base namespace (RFC 6241).
"""

import io
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError, SubElement, TreeBuilder, XMLParser

import orjson

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.resolve import Resolved
from twinplane.schema.scalar import codec_of
from twinplane.schema.table import NodeKind, SchemaNode, SchemaTable
from twinplane.tree.node import EMPTY, Container, Entries, Node, Scalar

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
MAX_PAYLOAD = 64 * 2**20

_QUALIFIED = re.compile(r"([A-Za-z_][\w.-]*):([A-Za-z_][\w.-]*)")


def encode(node: Node, schema: SchemaNode, table: SchemaTable) -> bytes:
    """The XML text of a node in UTF-8."""
    spaces = {module.name: module.namespace for module in table.modules}
    if not schema.path or isinstance(node, Entries):
        wrapper = Element("config", {"xmlns": BASE})
        if isinstance(node, Container):
            _children(wrapper, node, schema, spaces, "")
        else:
            _append(wrapper, schema.name, node, schema, spaces, "")
        return _text(wrapper)
    holder = Element("holder")
    _append(holder, schema.name, node, schema, spaces, "")
    return b"".join(_text(child) for child in holder)


def _text(element: Element) -> bytes:
    text: bytes = ElementTree.tostring(element, encoding="utf-8")
    # A reader turns a bare carriage return into a line feed (XML 1.0 section 2.11).
    return text.removeprefix(b"<?xml version='1.0' encoding='utf-8'?>\n").replace(b"\r", b"&#13;")


def _children(
    parent: Element, node: Container, schema: SchemaNode, spaces: Mapping[str, str], module: str
) -> None:
    # Keys come first, in their order (RFC 7950 section 7.8.5).
    ordered = [*schema.keys, *(name for name in node.children if name not in schema.keys)]
    for name in ordered:
        child = node.children.get(name)
        if child is not None:
            _append(parent, name, child, schema.children[name], spaces, module)


def _append(
    parent: Element, name: str, node: Node, schema: SchemaNode, spaces: Mapping[str, str], module: str
) -> None:
    values: list[Container | Scalar]
    if isinstance(node, Entries):
        values = list(node.entries.values())
    else:
        values = list(node) if isinstance(node, tuple) else [node]
    for value in values:
        element = SubElement(parent, name)
        if schema.module != module:
            element.set("xmlns", spaces[schema.module])
        if isinstance(value, Container):
            _children(element, value, schema, spaces, schema.module)
        elif value is not EMPTY:
            text = codec_of(schema).text(value)
            for prefix, _ in _QUALIFIED.findall(text):
                # A value that names an identity needs its module's namespace bound to a prefix: its name.
                if prefix in spaces and _names_identities(schema):
                    element.set(f"xmlns:{prefix}", spaces[prefix])
            element.text = text


def _names_identities(schema: SchemaNode) -> bool:
    specs = [schema.type] if schema.type is not None else []
    while specs:
        spec = specs.pop()
        if spec.base in ("identityref", "instance-identifier"):
            return True
        specs.extend(spec.members)
    return False


def to_json(table: SchemaTable, target: Resolved, data: bytes, *, index: int | None = None) -> bytes:
    """The JSON text (RFC 7951) of an XML payload for a resolved path, for `decode` to judge.

    Raises:
        RequestError: VALUE (no XML, a document type, an unknown element or value), TOO_LARGE.
    """
    if len(data) > MAX_PAYLOAD:
        constraint = f"the payload has {len(data)} bytes, the limit is {MAX_PAYLOAD}"
        raise RequestError(Violation(target.path, Fault.TOO_LARGE, constraint, operation=index))
    value: Any
    try:
        root, prefixes = _parse(data)
        reader = _Reader(table, prefixes)
        node = target.node
        if root.tag == f"{{{BASE}}}config":
            inside = reader.object(root, _holder(node) if node.path else node)
            value = inside.get(node.name, []) if node.path else inside
        else:
            reader.expect(root, node)
            value = reader.value(root, node)
    except (ParseError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        violation = Violation(target.path, Fault.VALUE, f"the payload cannot be read: {reason}", "", index)
        raise RequestError(violation) from None
    return orjson.dumps(value)


def _holder(node: SchemaNode) -> SchemaNode:
    return SchemaNode("", "", NodeKind.CONTAINER, children={node.name: node})


class _Builder(TreeBuilder):
    """Refuses document types: they are what entity bombs are made of, and no datastore text has one."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError(f"a document type ({name}) is not accepted")


def _parse(data: bytes) -> tuple[Element, dict[str, str]]:
    parser = XMLParser(target=_Builder())
    parser.feed(data)
    root: Element = parser.close()
    # Prefixes inside values (identities) are lost in the tree; a second look finds their declarations.
    found = ElementTree.iterparse(io.BytesIO(data), events=("start-ns",))
    return root, dict(pair for _, pair in found)


class _Reader:
    """Elements to the values of RFC 7951, guided by the schema."""

    def __init__(self, table: SchemaTable, prefixes: Mapping[str, str]) -> None:
        self._spaces = {module.name: module.namespace for module in table.modules}
        modules = {module.namespace: module.name for module in table.modules}
        self._prefixes = {prefix: modules[space] for prefix, space in prefixes.items() if space in modules}

    def expect(self, element: Element, schema: SchemaNode) -> None:
        """Raises ValueError where the element is not that of the node."""
        space, name = _tag(element)
        if name != schema.name or space not in ("", self._spaces[schema.module]):
            raise ValueError(f"<{name}> is not {schema.module}:{schema.name}")

    def object(self, element: Element, schema: SchemaNode) -> dict[str, Any]:
        """The members of a container or list entry."""
        members: dict[str, Any] = {}
        if any(text and text.strip() for text in (element.text, *(child.tail for child in element))):
            raise ValueError(f"<{_tag(element)[1]}> holds text, and is no leaf")
        for child in element:
            _, name = _tag(child)
            known = schema.children.get(name)
            if known is None:
                raise ValueError(f"<{name}> is not known below /{'/'.join(schema.path)}")
            self.expect(child, known)
            value = self.value(child, known)
            if known.kind in (NodeKind.LIST, NodeKind.LEAF_LIST):
                members.setdefault(name, []).append(value)
            elif name in members:
                raise ValueError(f"<{name}> occurs twice")
            else:
                members[name] = value
        return members

    def value(self, element: Element, schema: SchemaNode) -> Any:
        """The value of one element."""
        if not schema.is_leaf:
            return self.object(element, schema)
        text = element.text or ""
        form = codec_of(schema)
        if _names_identities(schema):
            text = _QUALIFIED.sub(lambda m: f"{self._prefixes.get(m[1], m[1])}:{m[2]}", text)
        if schema.type is not None and schema.type.base == "empty":
            return [None]
        try:
            parsed = form.parse_text(text)
        except ValueError as error:
            raise ValueError(f"<{schema.name}>: {error}") from None
        return form.ietf(parsed) if form.ietf is not None else parsed


def _tag(element: Element) -> tuple[str, str]:
    if element.tag.startswith("{"):
        space, _, name = element.tag[1:].partition("}")
        return space, name
    return "", element.tag
