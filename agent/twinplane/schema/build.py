"""Plain values out of the cache → the schema table."""

from collections.abc import Mapping, Sequence
from typing import Any

from twinplane.errors import StartError
from twinplane.schema.number import INTEGERS, scaled
from twinplane.schema.pattern import translate
from twinplane.schema.scalar import codec
from twinplane.schema.table import SECRET, Module, Names, NodeKind, Pattern, SchemaNode, SchemaTable, TypeSpec
from twinplane.tree.node import Leaf


def build(origin: str, raw: Mapping[str, Any], digest: str) -> SchemaTable:
    """The table of what `extract` returned."""
    types = _types(raw["roots"])
    root = SchemaNode("", "", NodeKind.CONTAINER, children=_children(raw["roots"], (), types, {}))
    modules = tuple(Module(**module) for module in raw["modules"])
    aliases = {alias: frozenset(names) for alias, names in raw["aliases"].items()}
    return SchemaTable(origin, root, modules, aliases, digest)


class _Types:
    """Types by schema path, made when first asked for: a leafref takes the type of what it points at."""

    def __init__(self, raw: Mapping[Names, Any]) -> None:
        self._raw = raw
        self._made: dict[Names, TypeSpec] = {}

    def at(self, path: Names) -> TypeSpec:
        if path not in self._made:
            if path not in self._raw:
                raise StartError(f"a leafref points at /{'/'.join(path)}, which no module defines")
            self._made[path] = self._spec(self._raw[path], path)
        return self._made[path]

    def _spec(self, raw: Mapping[str, Any], path: Names) -> TypeSpec:
        base = raw["base"]
        target: Names = ()
        members = tuple(self._spec(member, path) for member in raw.get("members", ()))
        if base == "leafref":
            target = _target(raw["path"], path)
            members = (self.at(target),)
        digits = raw.get("fraction_digits", 0)
        return TypeSpec(
            base=base,
            enums=tuple(raw.get("enums", ())),
            bits=tuple(raw.get("bits", ())),
            identities=tuple(raw.get("identities", ())),
            members=members,
            fraction_digits=digits,
            target=target,
            ranges=_ranges(raw.get("range", ""), base, digits),
            range_message=raw.get("range_message", ""),
            lengths=_intervals(raw["length"], 0, 2**64 - 1, 0) if "length" in raw else (),
            length_message=raw.get("length_message", ""),
            canonical=raw.get("canonical", ""),
            patterns=tuple(
                Pattern(expression, item["text"], item["invert"], item["message"])
                for item in raw["patterns"]
                if (expression := translate(item["text"])) is not None
            ),
        )


def _types(roots: Sequence[Mapping[str, Any]]) -> _Types:
    found: dict[Names, Any] = {}

    def collect(nodes: Sequence[Mapping[str, Any]], above: Names) -> None:
        for node in nodes:
            path = (*above, node["name"])
            if "type" in node:
                found[path] = node["type"]
            collect(node.get("children", ()), path)

    collect(roots, ())
    return _Types(found)


def _target(text: str, path: Names) -> Names:
    """The schema path that the path of a leafref means, seen from the leaf at `path`."""
    names: list[str] = [] if text.startswith("/") else list(path)
    without_predicates = "".join(part.split("]")[-1] for part in text.split("["))
    for step in without_predicates.strip().strip("/").split("/"):
        if step.strip() == "..":
            names.pop()
        else:
            names.append(step.strip().split(":")[-1])
    return tuple(names)


def _ranges(text: str, base: str, digits: int) -> tuple[tuple[int, int], ...]:
    limits = INTEGERS.get("int64" if base == "decimal64" else base)
    if limits is None:
        return ()
    return _intervals(text, *limits, digits) if text else (limits,)


def _intervals(text: str, low: int, high: int, digits: int) -> tuple[tuple[int, int], ...]:
    ends = {"min": low, "max": high}
    pairs = [
        [ends[end] if end in ends else scaled(end, digits) for end in map(str.strip, part.split(".."))]
        for part in text.split("|")
    ]
    return tuple((pair[0], pair[-1]) for pair in pairs)


def _children(
    raws: Sequence[Mapping[str, Any]], above: Names, types: _Types, inherited: Mapping[str, str]
) -> dict[str, SchemaNode]:
    chosen = {raw["name"]: tuple((choice, case) for choice, case in raw["choices"]) for raw in raws}
    return {
        raw["name"]: _node(raw, (*above, raw["name"]), types, inherited, _rivals(raw["name"], chosen))
        for raw in raws
    }


def _rivals(name: str, chosen: Mapping[str, tuple[tuple[str, str], ...]]) -> Names:
    own = dict(chosen[name])
    return tuple(
        other
        for other, pairs in chosen.items()
        if any(own.get(choice, case) != case for choice, case in pairs)
    )


def _node(
    raw: Mapping[str, Any], path: Names, types: _Types, inherited: Mapping[str, str], rivals: Names
) -> SchemaNode:
    kind = NodeKind(raw["kind"])
    extensions = raw["extensions"]
    if kind in (NodeKind.LEAF, NodeKind.LEAF_LIST):
        extensions = {**inherited, **extensions}
    else:
        # on a container these mean all leaves below
        inherited = {**inherited, **{name: "" for name in extensions if name in ("operational", SECRET)}}
    children = _children(raw.get("children", ()), path, types, inherited)
    keys = tuple(raw.get("keys", ()))
    spec = types.at(path) if "type" in raw else None
    return SchemaNode(
        name=raw["name"],
        module=raw["module"],
        kind=kind,
        config=raw["config"],
        path=path,
        children=children,
        keys=keys,
        mirrors=tuple(_mirror(children[key], path) for key in keys),
        type=spec,
        default=_default(raw["defaults"], spec, kind) if spec else None,
        mandatory=raw.get("mandatory", False),
        presence=raw.get("presence", False),
        user_ordered=raw.get("user_ordered", False),
        choices=tuple((choice, case) for choice, case in raw["choices"]),
        choice_defaults=tuple((choice, case) for choice, case in raw.get("choice_defaults", ())),
        rivals=rivals,
        units=raw["units"],
        description=raw["description"],
        extensions=extensions,
        supported=raw.get("supported", True),
    )


def _mirror(key: SchemaNode, entry: Names) -> Names:
    """Where below the entry the key's value is repeated, by OpenConfig's convention of leafref keys."""
    target = key.type.target if key.type else ()
    return target[len(entry) :] if target[: len(entry)] == entry else ()


def _default(texts: Sequence[str], spec: TypeSpec, kind: NodeKind) -> Leaf | None:
    values = tuple(codec(spec).default(text) for text in texts)
    if kind is NodeKind.LEAF_LIST:
        return values or None
    return values[0] if values else None
