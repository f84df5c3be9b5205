"""Wire messages to and from the types of the tree and the schema: paths, values, origins, encodings.

Nothing here knows what the configuration means; the schema room resolves what comes out.
"""

from collections.abc import Iterable
from enum import Enum

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.schema.table import Module
from twinplane.schema.write import JsonPayload, Payload, ScalarPayload
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Elem, Path
from twinplane_wire.value import ValueFormError, python

MOST_ELEMENTS = 128  # no schema is as deep; what follows goes down the path step by step
MOST_KEYS = 64  # of one element; no list has as many
LONGEST_KEY = 4096  # characters, as of names; paths are remembered in many places


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


def check_models(schemas: Schemas, asked: Iterable[gnmi_pb2.ModelData]) -> frozenset[str]:
    """The names in `use_models`, empty where the request does not restrict (gNMI 2.6).

    Raises:
        RequestError: VALUE, a model that is not among the supported ones.
    """
    wanted = tuple(asked)
    if not wanted:
        return frozenset()
    known = served_models(schemas)
    violations = tuple(
        Violation(ROOT, Fault.VALUE, f"use_models: model {model.name!r} {model.version} is not supported")
        for model in wanted
        if not _is(model, known.get(model.name))
    )
    if violations:
        raise RequestError(*violations)
    return frozenset(model.name for model in wanted)


def served_models(schemas: Schemas) -> dict[str, Module]:
    """Every module of every origin, by name; also those that only define types for others."""
    return {module.name: module for table in schemas.tables.values() for module in table.modules}


def _is(model: gnmi_pb2.ModelData, module: Module | None) -> bool:
    """True where what a client says of a model, as far as it says anything, is true of the module."""
    return (
        module is not None
        and model.version in ("", module.version)
        and model.organization in ("", module.organization)
    )


def payload(value: gnmi_pb2.TypedValue, path: Path) -> Payload | None:
    """What an Update of a Set carries for a path, None where no value is set (the deprecated message does not
    count).

    Raises:
        RequestError: NOT_SERVED, a form that no encoding of this target has; VALUE, a list of nothing.
    """
    match value.WhichOneof("value"):
        case None:
            return None
        case "json_val":
            return JsonPayload(value.json_val, False)
        case "json_ietf_val":
            return JsonPayload(value.json_ietf_val, True)
        case "any_val" | "proto_bytes" | "ascii_val" as name:
            raise RequestError(
                Violation(path, Fault.NOT_SERVED, f"a value in {name} is not offered", "send json_ietf_val")
            )
        case _:
            try:
                return ScalarPayload(python(value))
            except ValueFormError as error:
                raise RequestError(Violation(path, Fault.VALUE, str(error))) from None


def _elems(path: gnmi_pb2.Path) -> tuple[Elem, ...]:
    if path.element and not path.elem:
        # Collectors of the reference implementation fill in both forms; elem is the one that counts.
        raise _syntax((), "the field element is not served", "use elem")
    if len(path.elem) > MOST_ELEMENTS:
        raise _syntax((), f"a path has at most {MOST_ELEMENTS} elements, not {len(path.elem)}")
    return tuple([_elem(elem) for elem in path.elem])


def _elem(elem: gnmi_pb2.PathElem) -> Elem:
    if not elem.name:
        raise _syntax((), "an element has no name")
    if len(elem.key) > MOST_KEYS:
        raise _syntax(
            (Elem(elem.name[:LONGEST_KEY]),), f"an element has at most {MOST_KEYS} keys, not {len(elem.key)}"
        )
    if len(elem.name) > LONGEST_KEY or any(len(name) > LONGEST_KEY for name in elem.key):
        raise _syntax((), f"a name has more than {LONGEST_KEY} characters")
    if "" in elem.key:
        raise _syntax((Elem(elem.name),), f"a key of {elem.name} has no name")
    if any(len(value) > LONGEST_KEY for value in elem.key.values()):
        raise _syntax((Elem(elem.name),), f"a key of {elem.name} has more than {LONGEST_KEY} characters")
    # A map has no order: sorted, until the schema puts keys into theirs.
    return Elem(elem.name, tuple(sorted(elem.key.items())))


def _syntax(elems: tuple[Elem, ...], text: str, remedy: str = "") -> RequestError:
    return RequestError(Violation(Path(elems), Fault.SYNTAX, text, remedy))
