"""The XML face of the schema (RFC 7950): nodes to XML, and XML payloads to the JSON that `decode` reads.

The XML of a node is the element of that node itself; the whole of an origin, and a list without keys,
stand in a ``<config>`` element of NETCONF's base namespace (RFC 6241).
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias
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
DEEPEST = 128  # elements one in the other; no schema is as deep, and a megabyte of text may be

_QUALIFIED = re.compile(r"([A-Za-z_][\w.-]*):([A-Za-z_][\w.-]*)")
_NAME = re.compile(r"(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)")
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "union")  # numbers in JSON too, or perhaps

_Prefixes: TypeAlias = Mapping[str, str]


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
            if schema.type is not None and schema.type.base == "instance-identifier":
                text = _instance(text, every=True)
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
    """The JSON text (RFC 7951) of an XML payload for a resolved path, for `decode` to judge. Elements and
    values that the schema does not have are handed on, to be refused in the words that JSON is refused in.

    Raises:
        RequestError: VALUE (no XML, a document type or attribute, text or elements where none is), TOO_LARGE.
    """
    if len(data) > MAX_PAYLOAD:
        constraint = f"the payload has {len(data)} bytes, the limit is {MAX_PAYLOAD}"
        raise RequestError(Violation(target.path, Fault.TOO_LARGE, constraint, operation=index))
    value: Any
    try:
        root, scopes = _parse(data)
        reader = _Reader(table, scopes)
        node = target.node
        if root.tag == f"{{{BASE}}}config":
            inside = reader.object(root, _holder(node) if node.path else node, {})
            value = inside.pop(node.name, []) if node.path else inside
            if node.path and inside:
                raise ValueError(f"<{next(iter(inside))}> is not {node.module}:{node.name}")
        elif not node.path:
            raise ValueError(f"the whole stands in <config> of {BASE}, not in <{_tag(root)[1]}>")
        else:
            reader.expect(root, node)
            value = reader.value(root, node, {})
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        violation = Violation(target.path, Fault.VALUE, f"the payload cannot be read: {reason}", "", index)
        raise RequestError(violation) from None
    return orjson.dumps(value)


def _holder(node: SchemaNode) -> SchemaNode:
    return SchemaNode("", "", NodeKind.CONTAINER, children={node.name: node})


class _Builder(TreeBuilder):
    """Keeps which prefixes each element declares, for values that hold some (identities). Refuses document
    types: they are what entity bombs are made of, and no datastore text has one."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes: dict[Element, _Prefixes] = {}
        self._declared: dict[str, str] = {}
        self._depth = 0

    def start_ns(self, prefix: str, uri: str) -> None:
        self._declared[prefix] = uri

    def start(self, tag: str, attributes: dict[Any, Any]) -> Element:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("nested too deeply")
        element = super().start(tag, attributes)
        if self._declared:
            self.scopes[element], self._declared = self._declared, {}
        return element

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError(f"a document type ({name}) is not accepted")


def _parse(data: bytes) -> tuple[Element, Mapping[Element, _Prefixes]]:
    builder = _Builder()
    parser = XMLParser(target=builder)
    parser.feed(data)
    root: Element = parser.close()
    return root, builder.scopes


class _Reader:
    """Elements to the values of RFC 7951, guided by the schema. `scope`: the prefixes around an element."""

    def __init__(self, table: SchemaTable, scopes: Mapping[Element, _Prefixes]) -> None:
        self._spaces = {module.name: module.namespace for module in table.modules}
        self._modules = {module.namespace: module.name for module in table.modules}
        self._scopes = scopes

    def expect(self, element: Element, schema: SchemaNode) -> None:
        """Raises ValueError where the element is not that of the node."""
        space, name = _tag(element)
        if name != schema.name or space not in ("", self._spaces[schema.module]):
            raise ValueError(f"<{name}> is not {schema.module}:{schema.name}")

    def object(self, element: Element, schema: SchemaNode, scope: _Prefixes) -> dict[str, Any]:
        """The members of a container or list entry; one that the schema does not have is null."""
        scope = self._plain(element, scope)
        members: dict[str, Any] = {}
        if any(text and text.strip() for text in (element.text, *(child.tail for child in element))):
            raise ValueError(f"<{_tag(element)[1]}> holds text, and is no leaf")
        for child in element:
            name, known = self._child(child, schema)
            value = None if known is None else self.value(child, known, scope)
            if known is not None and known.kind in (NodeKind.LIST, NodeKind.LEAF_LIST):
                members.setdefault(name, []).append(value)
            elif name in members:
                raise ValueError(f"<{name}> occurs twice")
            else:
                members[name] = value
        return members

    def value(self, element: Element, schema: SchemaNode, scope: _Prefixes) -> Any:
        """The value of one element."""
        if not schema.is_leaf:
            return self.object(element, schema, scope)
        if len(element):
            raise ValueError(f"<{schema.name}> is a leaf and holds <{_tag(element[0])[1]}>")
        text = self._named(element.text or "", schema, self._plain(element, scope))
        form, base = codec_of(schema), "" if schema.type is None else schema.type.base
        try:
            parsed = form.parse_text(text.strip() if base == "empty" else text)
        except ValueError:
            return int(text) if base in _NUMBERS and _NUMBER.fullmatch(text) else text
        return form.ietf(parsed) if form.ietf is not None else parsed

    def _child(self, element: Element, parent: SchemaNode) -> tuple[str, SchemaNode | None]:
        """The name of a member as JSON has it, and its node where the parent has one of this module."""
        space, name = _tag(element)
        known = parent.children.get(name)
        if known is None and space in ("", self._spaces.get(parent.module)):
            return name, None
        if known is None or space not in ("", self._spaces[known.module]):
            return f"{self._modules.get(space, space)}:{name}", None
        return name, known

    def _plain(self, element: Element, scope: _Prefixes) -> _Prefixes:
        """The prefixes inside an element, which has no attributes but those that declare them."""
        for name in element.attrib:
            where, attribute = _tag(element)[1], name.rpartition("}")[2]
            raise ValueError(f"<{where}> has the attribute {attribute!r}: what to do is said by the edit")
        declared = self._scopes.get(element)
        return scope if declared is None else {**scope, **declared}

    def _named(self, text: str, schema: SchemaNode, scope: _Prefixes) -> str:
        """Text with names of modules in the place of prefixes, where it may hold such."""
        if not _names_identities(schema):
            return text
        modules = {prefix: self._modules.get(space, prefix) for prefix, space in scope.items()}
        named = _QUALIFIED.sub(lambda m: f"{modules.get(m[1], m[1])}:{m[2]}", text)
        if schema.type is not None and schema.type.base == "instance-identifier":
            return _instance(named, every=False)
        default = f"{modules.get('', '')}:{named}"  # RFC 7950 section 9.10.3
        return default if codec_of(schema).owns(default) else named


def _instance(text: str, *, every: bool) -> str:
    """An instance-identifier with the module at every name, as XML has it (RFC 7950 section 9.13.2), or only
    where it changes, as JSON has it (RFC 7951 section 6.11). What stands in quotes stays."""
    current = ""

    def name(found: re.Match[str]) -> str:
        nonlocal current
        module = found[1] or current
        written = f"{module}:{found[2]}" if module and (every or module != current) else found[2]
        current = module
        return written

    parts = re.split(r"('[^']*'|\"[^\"]*\")", text)
    return "".join(part if place % 2 else _NAME.sub(name, part) for place, part in enumerate(parts))


def _tag(element: Element) -> tuple[str, str]:
    if element.tag.startswith("{"):
        space, _, name = element.tag[1:].partition("}")
        return space, name
    return "", element.tag
