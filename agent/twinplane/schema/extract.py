"""pyang → plain JSON values: what the table is built from. Imported on a cache miss only."""

from collections.abc import Iterator, Sequence
from pathlib import Path as File
from typing import Any

from pyang import context, error, repository, util

from twinplane.errors import StartError

Raw = dict[str, Any]

# Modules whose types have canonical forms that a pattern does not tell (RFC 6991).
_CANONICAL = ("ietf-inet-types", "ietf-yang-types")

_DATA = ("container", "list", "leaf", "leaf-list")


def extract(directories: Sequence[File], implemented: Sequence[str]) -> Raw:
    """Parse the implemented modules and what they import; return modules, aliases and data nodes.

    Raises:
        StartError: a module is missing or wrong; the message names file, line and reason.
    """
    # without use_env=False pyang would also look into the home directory of whoever runs it
    files = repository.FileRepository(
        ":".join(str(directory) for directory in directories), use_env=False, no_path_recurse=True
    )
    ctx = context.Context(files)
    ctx.strict = True
    for name in implemented:
        if ctx.search_module(None, name) is None:
            raise StartError(f"YANG module {name} is in none of {', '.join(map(str, directories))}")
    ctx.validate()
    for position, tag, arguments in ctx.errors:
        if not error.is_warning(error.err_level(tag)):
            raise StartError(f"YANG module {position}: {error.err_to_str(tag, arguments)}")
    modules = {module.arg: module for module in ctx.modules.values() if module.keyword == "module"}
    roots = [
        node
        for name in implemented
        for child in modules[name].i_children
        for node in _nodes(child, (), modules)
    ]
    aliases: dict[str, list[str]] = {}
    for name in implemented:
        for alias in _extensions(modules[name]).get("input-alias", []):
            aliases.setdefault(alias, []).append(name)
    return {
        "modules": [_module(module, name in implemented) for name, module in sorted(modules.items())],
        "aliases": aliases,
        "roots": roots,
    }


def _module(module: Any, implemented: bool) -> Raw:
    revision = max((statement.arg for statement in module.search("revision")), default="")
    return {
        "name": module.arg,
        "organization": _text(module, "organization"),
        "version": (_extensions(module).get("module-version") or [revision])[0],
        "revision": revision,
        "namespace": _text(module, "namespace"),
        "implemented": implemented,
    }


def _nodes(statement: Any, choices: tuple[tuple[str, str], ...], modules: Raw) -> Iterator[Raw]:
    """The data nodes that a statement stands for: itself, or those of all cases of a choice."""
    if statement.keyword == "choice":
        # nested choices get a name that is unique below their parent
        name = "/".join([part for pair in choices for part in pair] + [statement.arg])
        for case in statement.i_children:
            for child in case.i_children:
                yield from _nodes(child, (*choices, (name, case.arg)), modules)
    elif statement.keyword in _DATA:
        yield _node(statement, choices, modules)


def _node(statement: Any, choices: tuple[tuple[str, str], ...], modules: Raw) -> Raw:
    kind = statement.keyword
    raw: Raw = {
        "name": statement.arg,
        "module": statement.i_module.i_modulename,
        "kind": kind,
        "config": bool(statement.i_config),
        "choices": choices,
        "description": " ".join(_text(statement, "description").split()),
        "units": _units(statement),
        "extensions": {name: values[0] for name, values in _extensions(statement).items()},
    }
    if kind in ("leaf", "leaf-list"):
        raw["type"] = _type(statement.search_one("type"), modules)
        raw["defaults"] = _defaults(statement)
        raw["mandatory"] = _text(statement, "mandatory") == "true"
    else:
        hidden = getattr(statement, "i_not_supported", [])
        raw["children"] = [node for child in statement.i_children for node in _nodes(child, (), modules)] + [
            {**node, "supported": False} for child in hidden for node in _nodes(child, (), modules)
        ]
        raw["choice_defaults"] = list(_choice_defaults(statement, ()))
        raw["presence"] = statement.search_one("presence") is not None
    if kind == "list":
        raw["keys"] = [key.arg for key in getattr(statement, "i_key", None) or []]
    if kind in ("list", "leaf-list"):
        raw["user_ordered"] = _text(statement, "ordered-by") == "user"
    return raw


def _choice_defaults(statement: Any, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The default cases of the choices of a node, with those of choices inside their cases."""
    for choice in statement.i_children:
        if choice.keyword == "choice":
            if default := _text(choice, "default"):
                yield "/".join((*above, choice.arg)), default
            for case in choice.i_children:
                yield from _choice_defaults(case, (*above, choice.arg, case.arg))


def _defaults(statement: Any) -> list[str]:
    own = [_default(default) for default in statement.search("default")]
    if own or _text(statement, "mandatory") == "true" or _text(statement, "min-elements") not in ("", "0"):
        return own
    step = statement.search_one("type")
    while (typedef := getattr(step, "i_typedef", None)) is not None:
        inherited = [_default(default) for default in typedef.search("default")]
        if inherited:
            return inherited
        step = typedef.search_one("type")
    return []


def _default(statement: Any) -> str:
    """The default as it is written; an identity with its module's name in place of the module's prefix."""
    prefix, colon, name = statement.arg.partition(":")
    known = statement.i_orig_module.i_prefixes if hasattr(statement, "i_orig_module") else {}
    return f"{known[prefix][0]}:{name}" if colon and prefix in known else str(statement.arg)


def _units(statement: Any) -> str:
    if own := _text(statement, "units"):
        return own
    step = statement.search_one("type")
    while (typedef := getattr(step, "i_typedef", None)) is not None:
        if inherited := _text(typedef, "units"):
            return inherited
        step = typedef.search_one("type")
    return ""


def _type(statement: Any, modules: Raw) -> Raw:
    """One type with the restrictions of its typedefs: the nearest range, length and enums, all patterns."""
    raw: Raw = {"base": "", "patterns": []}
    step = statement
    while True:
        for keyword in ("range", "length"):
            restriction = step.search_one(keyword)
            if restriction is not None and keyword not in raw:
                raw[keyword] = restriction.arg
                raw[f"{keyword}_message"] = _text(restriction, "error-message")
        for pattern in step.search("pattern"):
            raw["patterns"].append(
                {
                    "text": pattern.arg,
                    "invert": pattern.search_one("modifier") is not None,
                    "message": _text(pattern, "error-message"),
                }
            )
        for keyword, name in (("enum", "enums"), ("bit", "bits")):
            if step.search(keyword) and name not in raw:
                raw[name] = [item.arg for item in _in_order(step.search(keyword))]
        if (digits := step.search_one("fraction-digits")) is not None:
            raw["fraction_digits"] = int(digits.arg)
        typedef = getattr(step, "i_typedef", None)
        if typedef is None:
            break
        if "canonical" not in raw and typedef.i_module.i_modulename in _CANONICAL:
            raw["canonical"] = typedef.arg
        step = typedef.search_one("type")
    base = raw["base"] = step.arg
    if base == "identityref":
        bases = [item.i_identity for item in step.search("base")]
        raw["identities"] = sorted(
            f"{module.i_modulename}:{identity.arg}"
            for module in modules.values()
            for identity in module.i_identities.values()
            if identity not in bases and all(_derives(identity, ancestor) for ancestor in bases)
        )
    elif base == "leafref":
        raw["path"] = step.search_one("path").arg
    elif base == "union":
        raw["members"] = [_type(member, modules) for member in step.search("type")]
    return raw


def _in_order(items: list[Any]) -> list[Any]:
    """Bits by position (their canonical order, RFC 7950 section 9.7.2); enums as they are written."""
    if items[0].keyword == "bit":
        return sorted(items, key=lambda item: item.i_position)
    return items


def _derives(identity: Any, ancestor: Any) -> bool:
    return any(
        base.i_identity is ancestor or (base.i_identity is not None and _derives(base.i_identity, ancestor))
        for base in identity.search("base")
    )


def _extensions(statement: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sub in statement.substmts:
        if util.is_prefixed(sub.keyword):
            found.setdefault(sub.keyword[1], []).append(sub.arg or "")
    return found


def _text(statement: Any, keyword: str) -> str:
    sub = statement.search_one(keyword)
    return sub.arg if sub is not None and sub.arg is not None else ""
