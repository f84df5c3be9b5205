"""Wire messages to and from the types of the tree and the schema: paths, values, origins, encodings.

Nothing here knows what the configuration means; the schema room resolves what comes out.
"""

from collections.abc import Mapping
from enum import Enum

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.table import SchemaTable
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Elem, Path

DEFAULT_ORIGIN = "openconfig"


class Encoding(Enum):
    """The encodings this target offers for reading, by their number on the wire."""

    JSON = gnmi_pb2.JSON
    PROTO = gnmi_pb2.PROTO
    JSON_IETF = gnmi_pb2.JSON_IETF


def encoding(number: int) -> Encoding:
    """The encoding a request asks for.

    Raises:
        RequestError: NOT_SERVED, with the names of those that are.
    """
    try:
        return Encoding(number)
    except ValueError:
        known = gnmi_pb2.Encoding.values()
        name = gnmi_pb2.Encoding.Name(number) if number in known else str(number)
        offered = ", ".join(one.name for one in Encoding)
        raise RequestError(
            Violation(ROOT, Fault.NOT_SERVED, f"encoding {name} is not offered", f"use one of {offered}")
        ) from None


def check_prefix(prefix: gnmi_pb2.Path) -> None:
    """Refuse a prefix that is no path.

    Raises:
        RequestError: SYNTAX.
    """
    _elems(prefix)


def absolute(prefix: gnmi_pb2.Path, path: gnmi_pb2.Path) -> Path:
    """The absolute path that prefix and path name together, as written: not yet resolved (gNMI 2.4.1).

    The origin is empty for the default one, whether the client spelled it out or not.

    Raises:
        RequestError: SYNTAX, naming what is wrong (gNMI 2.2.2, 2.7).
    """
    elems = _elems(prefix) + _elems(path)
    if path.target:
        raise _syntax(elems, "target belongs into the prefix, not into a path")
    if path.origin and prefix.origin:
        raise _syntax(elems, "origin is in the prefix and in the path", "leave one out")
    if path.origin and prefix.elem:
        raise _syntax(elems, "a path with an origin cannot follow a prefix with elements")
    origin = path.origin or prefix.origin
    return Path(elems, "" if origin == DEFAULT_ORIGIN else origin)


def table_of(tables: Mapping[str, SchemaTable], path: Path) -> SchemaTable:
    """The schema of the path's origin; `tables` has the default origin under "".

    Raises:
        RequestError: NOT_SERVED.
    """
    table = tables.get(path.origin)
    if table is None:
        served = ", ".join(origin or DEFAULT_ORIGIN for origin in tables)
        raise RequestError(
            Violation(
                path, Fault.NOT_SERVED, f"origin {path.origin!r} is not served", f"served are: {served}"
            )
        )
    return table


def check_models(tables: Mapping[str, SchemaTable], models: gnmi_pb2.GetRequest) -> frozenset[str]:
    """The names in `use_models`, empty where the request does not restrict.

    Raises:
        RequestError: VALUE, a model that is not among the supported ones.
    """
    known = {module.name: module.version for table in tables.values() for module in table.modules}
    violations = tuple(
        Violation(ROOT, Fault.VALUE, f"use_models: model {model.name!r} {model.version} is not supported")
        for model in models.use_models
        if model.name not in known or (model.version and model.version != known[model.name])
    )
    if violations:
        raise RequestError(*violations)
    return frozenset(model.name for model in models.use_models)


def _elems(path: gnmi_pb2.Path) -> tuple[Elem, ...]:
    if path.element:
        raise _syntax((), "the field element is not served", "use elem")
    return tuple([_elem(elem) for elem in path.elem])


def _elem(elem: gnmi_pb2.PathElem) -> Elem:
    if not elem.name:
        raise _syntax((), "an element has no name")
    if "" in elem.key:
        raise _syntax((Elem(elem.name),), f"a key of {elem.name} has no name")
    # A map has no order: sorted, until the schema puts keys into theirs.
    return Elem(elem.name, tuple(sorted(elem.key.items())))


def _syntax(elems: tuple[Elem, ...], text: str, remedy: str = "") -> RequestError:
    return RequestError(Violation(Path(elems), Fault.SYNTAX, text, remedy))
