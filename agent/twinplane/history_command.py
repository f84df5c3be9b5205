"""The command `twinplane-agent history purge`: values that are to be found nowhere any more."""

import os
from collections.abc import Sequence

from twinplane import remains
from twinplane.app import schema
from twinplane.errors import RequestError, StartError
from twinplane.object_codec import ObjectCodec
from twinplane.schema.compile import Schemas
from twinplane.schema.resolve import resolve
from twinplane.schema.table import NodeKind
from twinplane.settings import Settings
from twinplane.state_dir import take
from twinplane.transaction import copy, offline
from twinplane_wire.path import Path, PathSyntaxError, parse


def purge(settings: Settings, paths: Sequence[str], *, with_copies: bool) -> list[str]:
    """Take the values of leaves out of every kept commit; what to tell the operator. With `with_copies` the
    copies of the database that hold one go, and a new copy is written.

    Raises:
        StartError: an agent runs, a path is not that of a leaf with a value of its own, or the file cannot be
            written.
        RequestError: no module defines a path.
    """
    root = settings.agent.state_dir
    schemas = schema(settings, None)
    leaves = [_leaf(schemas, text) for text in paths]
    codec = ObjectCodec(schemas)

    def fits(path: Path, body: bytes) -> bool:
        try:
            codec.decode(path, body)
        except (RequestError, ValueError):
            return False
        return True

    file, folder = root / "twinplane.db", root / copy.FOLDER
    remains.require_whole(root)
    if not remains.is_held(file):
        raise StartError(f"there is no {file}: nothing was configured yet")
    lock = take(root)
    try:
        done = offline.purge(file, leaves, fits)
        lines = [f"{done.values} value{'' if done.values == 1 else 's'} purged from the history in {file}"]
        if done.in_force:
            lines.append("the configuration in force holds one still: change it, then purge again")
        kept = [one for one in sorted(folder.glob("*.db")) if offline.holds(one, leaves)]
        if not kept:
            return lines
        if not with_copies:
            lines += [f"{one} holds one still, or cannot be read" for one in kept]
            return [*lines, "repeat with --copies to remove these copies and write a new one"]
        new = copy.write(file, folder)
        for one in kept:
            for part in folder.glob(f"{one.name}*"):
                part.unlink()
        return [*lines, *(f"{one} is removed" for one in kept), f"{new.file} is written"]
    except (copy.UnreadableError, OSError) as error:
        raise StartError(f"the history cannot be purged: {error}") from error
    finally:
        os.close(lock)


def _leaf(schemas: Schemas, text: str) -> Path:
    """The path of a leaf that is no key, with bare names."""
    try:
        asked = parse(text)
    except PathSyntaxError as error:
        raise StartError(str(error)) from error
    found = resolve(schemas.table(asked.origin), asked, write=False)
    if found.node.kind not in (NodeKind.LEAF, NodeKind.LEAF_LIST) or not found.node.config:
        raise StartError(f"{text} is not a configured leaf: name the leaf whose values are to go")
    above = resolve(schemas.table(asked.origin), Path(asked.elems[:-1], asked.origin), write=False).node
    if found.path.elems[-1].name in above.keys or len(found.path.elems) < 3:
        raise StartError(f"{text} is part of the name of an object, which stays in the history")
    return found.path
