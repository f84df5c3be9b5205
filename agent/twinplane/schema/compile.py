"""YANG modules → schema tables, one per origin, cached by the content of all modules.

The cache holds the plain values that `extract.py` takes out of pyang; the table is always built from those,
so a table from the cache and a fresh one cannot differ, and pyang is not even imported when the cache hits.
"""

import hashlib
import importlib.metadata
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from twinplane.errors import Fault, RequestError, StartError, Violation
from twinplane.schema.build import build
from twinplane.schema.rename import Rename, read_renames
from twinplane.schema.table import SchemaTable
from twinplane_wire.path import Path

DEFAULT_ORIGIN = "openconfig"

# Raised whenever extract.py takes out something else or something more.
_COMPILER = "3"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the modules of one origin come from: directories to search and the modules to implement."""

    directories: tuple[File, ...]
    implemented: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schemas:
    """The tables of all origins; `digest` changes whenever a text among all modules does. `renames` are what
    older versions of the modules called otherwise, oldest first."""

    tables: Mapping[str, SchemaTable]
    sources: Mapping[str, Source]
    digest: str
    renames: tuple[Rename, ...] = ()

    @property
    def default(self) -> SchemaTable:
        """The table of the default origin."""
        return self.tables[DEFAULT_ORIGIN]

    def table(self, origin: str) -> SchemaTable:
        """The table of an origin; "" means openconfig (gNMI 2.7).

        Raises:
            RequestError: NOT_SERVED, for an origin that is not served.
        """
        table = self.tables.get(origin or DEFAULT_ORIGIN)
        if table is None:
            served = ", ".join(sorted(self.tables))
            raise RequestError(
                Violation(
                    Path((), origin),
                    Fault.NOT_SERVED,
                    f"origin {origin!r} is not served",
                    f"served: {served}",
                )
            )
        return table


def load_schema(yang_dir: File, cache_dir: File | None, *extra_dirs: File) -> Schemas:
    """Compile the modules that ``modules.toml`` in `yang_dir` lists, or take them from the cache.

    `extra_dirs` are further directories with a ``modules.toml``, for origins of their own; their modules may
    import those of `yang_dir`.

    Raises:
        StartError: a directory or module is missing or wrong.
    """
    tables: dict[str, SchemaTable] = {}
    sources: dict[str, Source] = {}
    for directory in (yang_dir, *extra_dirs):
        if ":" in str(directory):  # what separates the directories that libyang searches
            raise StartError(
                f"YANG directory {directory} has the character ':' in its path, which libyang cannot take; "
                "choose another agent.yang_dir"
            )
        own = (directory,) if directory == yang_dir else (directory, yang_dir)
        listed = _listed(directory)
        texts = _digest(own)
        for origin, implemented in listed.items():
            digest = hashlib.sha256(f"{texts} {origin}".encode()).hexdigest()
            sources[origin] = Source(own, tuple(implemented))
            tables[origin] = build(origin, _cached(cache_dir, origin, digest, sources[origin]), digest)
    digests = "".join(tables[origin].digest for origin in sorted(tables))
    return Schemas(tables, sources, hashlib.sha256(digests.encode()).hexdigest(), read_renames(yang_dir))


def standard_directories() -> tuple[File, ...]:
    """The directories in which the pyang distribution ships the IETF and IANA modules."""
    files = importlib.metadata.files("pyang") or []
    return tuple(
        sorted({File(str(item.locate())).resolve().parent for item in files if item.name.endswith(".yang")})
    )


def _listed(directory: File) -> dict[str, list[str]]:
    try:
        listed = tomllib.loads((directory / "modules.toml").read_text())
        return {str(origin): [str(name) for name in names] for origin, names in listed["origins"].items()}
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise StartError(
            f"no usable modules.toml in {directory}: {error}; is the YANG directory right?"
        ) from error


def _digest(directories: Sequence[File]) -> str:
    total = hashlib.sha256(f"{_COMPILER} {importlib.metadata.version('pyang')}".encode())
    for directory in directories:
        for file in sorted([*directory.glob("*.yang"), directory / "modules.toml"]):
            total.update(f"\n{file.name}\n".encode() + file.read_bytes())
    return total.hexdigest()


def _cached(cache_dir: File | None, origin: str, digest: str, source: Source) -> dict[str, Any]:
    """What pyang says, from the cache where it is whole, else anew (and then stored)."""
    file = cache_dir / f"schema-{origin}-{digest[:16]}.json" if cache_dir else None
    if file is not None and (raw := _load(file)) is not None:
        return raw
    from twinplane.schema.extract import extract

    raw = extract((*source.directories, *standard_directories()), source.implemented)
    text = json.dumps(raw, separators=(",", ":"))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.glob(f"schema-{origin}-*.json"):
            old.unlink(missing_ok=True)
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
        unfinished.replace(file)
    return json.loads(text)  # type: ignore[no-any-return]


def _load(file: File) -> dict[str, Any] | None:
    try:
        checksum, _, text = file.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    if hashlib.sha256(text.encode()).hexdigest() != checksum:
        return None
    return json.loads(text)  # type: ignore[no-any-return]
