"""The texts of the loaded modules (RFC 6022): YANG as it was written, YIN as pyang makes it."""

import io
import re
from pathlib import Path as File
from types import SimpleNamespace

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.compile import Schemas, standard_directories
from twinplane.schema.table import Module
from twinplane_wire.path import ROOT


def modules(schemas: Schemas) -> tuple[Module, ...]:
    """Every module of every origin by name, implemented ones and what they import."""
    found: dict[str, Module] = {}
    for table in schemas.tables.values():
        for module in table.modules:
            if module.name not in found or module.implemented:
                found[module.name] = module
    return tuple(found[name] for name in sorted(found))


def yang(schemas: Schemas, name: str, revision: str = "") -> tuple[Module, str]:
    """A module and its text as it was written.

    Raises:
        RequestError: NO_DATA, there is no such module, or not of this revision.
    """
    module = next((one for one in modules(schemas) if one.name == name), None)
    if module is None:
        raise _missing(f"module {name!r} is not loaded")
    if revision and revision != module.revision:
        raise _missing(f"module {name!r} is loaded in revision {module.revision}, not {revision}")
    file = _file(schemas, module)
    if file is None:
        raise _missing(f"the file of module {name!r} is not there any more")
    return module, file.read_text(encoding="utf-8")


def yin(schemas: Schemas, name: str, revision: str = "") -> tuple[Module, str]:
    """The same in YIN (RFC 7950 section 13); takes a while: for a thread.

    Raises:
        RequestError: as `yang`.
    """
    from pyang import context, repository
    from pyang.translators import yin as translator

    module, text = yang(schemas, name, revision)
    files = repository.FileRepository(
        ":".join(str(one) for one in _directories(schemas)), use_env=False, no_path_recurse=True
    )
    ctx = context.Context(files)
    ctx.opts = SimpleNamespace(yin_canonical=False, yin_pretty_strings=False)
    statement = ctx.add_module(f"{name}.yang", text)
    ctx.validate()
    out = io.StringIO()
    translator.emit_yin(ctx, statement, out)
    return module, out.getvalue()


def _file(schemas: Schemas, module: Module) -> File | None:
    candidates = [
        file
        for directory in _directories(schemas)
        for file in (directory / f"{module.name}.yang", directory / f"{module.name}@{module.revision}.yang")
        if file.is_file()
    ]
    wanted = re.compile(rf'^\s*revision\s+"?{re.escape(module.revision)}"?\b', re.MULTILINE)
    return next(
        (file for file in candidates if not module.revision or wanted.search(file.read_text("utf-8"))), None
    )


def _directories(schemas: Schemas) -> tuple[File, ...]:
    own = dict.fromkeys(one for source in schemas.sources.values() for one in source.directories)
    return (*own, *standard_directories())


def _missing(text: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.NO_DATA, text))
