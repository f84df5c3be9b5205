"""The commands `twinplane-agent state …`: what is left of a state directory, and how to go on from there.

Each returns the lines for the operator. All but `show` and `copy` need the agent to be stopped.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from twinplane import remains
from twinplane.errors import StartError
from twinplane.state_dir import LAYOUT, holder, take, write_file
from twinplane.transaction import copy, offline, table
from twinplane_wire.path import Path as ModelPath
from twinplane_wire.path import PathSyntaxError, parse

DATABASE = "twinplane.db"
STOPPED = "start the agent to put it in force"


async def show(root: Path) -> list[str]:
    """What is there, what is missing, which copies there are; looks only.

    Raises:
        StartError: there is no such directory.
    """
    _require(root)
    agent = holder(root)
    lines = [f"state directory {root}: {'no agent runs' if agent is None else f'in use by process {agent}'}"]
    lines += [f"missing: {what}" for what in remains.lost(root)]
    instance = _stored(root)
    lines.append(f"instance: {'unknown' if instance is None else instance}")
    content, damage = _look(root / DATABASE)
    if content is None:
        lines.append(f"database: {damage}")
    else:
        lines.append(f"database: sound, {len(content.objects)} objects, newest commit {content.revision}")
        if content.spared == table.EVERYTHING or content.is_copy:
            lines.append("left alone: all that the database does not know, from the next start on")
        else:
            lines += [f"left alone: {path}" for path in sorted(map(str, table.spared(content.spared) or ()))]
    known = frozenset() if content is None else frozenset(content.objects)
    for what, path in await _found(root, instance):
        lines.append(f"on the host: {what}, {path}" + ("" if _object(path) in known else " (not configured)"))
    copies = copy.listed(root / copy.FOLDER)
    return [*lines, *(f"copy: {one}" for one in copies), *([] if copies else ["copy: none"])]


def write_copy(root: Path) -> list[str]:
    """Write a copy of the database now; an agent may run meanwhile.

    Raises:
        StartError: it cannot be written, or is damaged.
    """
    file = root / DATABASE
    if not remains.is_held(file):
        raise StartError(f"there is no {file}; {remains.COMMANDS}")
    try:
        return [f"{copy.write(file, root / copy.FOLDER).file}"]
    except (copy.UnreadableError, OSError) as error:
        raise StartError(f"{file} cannot be copied: {error}; {copy.remedy(file)}") from error


async def restore(root: Path, name: str | None) -> list[str]:
    """Put a copy of the database in place: the one of that name in copies/, at that path, or the newest good
    one. What was there is put aside, nothing is lost. What the host has and the copy does not know is left
    alone from the next start on.

    Raises:
        StartError: an agent runs; there is no such copy, it is damaged, or that of another instance.
    """
    with _stopped(root):
        chosen = _chosen(root, name)
        try:
            content = copy.content(chosen)
        except copy.UnreadableError as error:
            raise StartError(
                f"{chosen} is not a good copy: {error}; {copy.remedy(root / DATABASE)}"
            ) from error
        stored = _stored(root, strict=True)
        if stored is not None and content.instance is not None and stored != content.instance:
            raise StartError(
                f"{chosen} is of instance {content.instance}, the file instance-id says {stored}; put back "
                "the one that belongs here"
            )
        instance = stored or content.instance or await _recovered(root)
        before, _ = _look(root / DATABASE)
        lines = _differences(before, content)
        lines += await _unknown(root, instance, content.objects, "is not in the copy and is left alone")
        aside = _aside(root)
        offline.restore(chosen, root / DATABASE, instance)
        _complete(root, instance)
    done = f"{chosen.name} is in place: commit {content.revision}; {STOPPED}"
    return [*lines, *aside, done, *_users(root)]


async def adopt(root: Path, instance: UUID | None) -> list[str]:
    """Go on without what is missing: find the instance id again (or take the one given), go on from the
    database that is there, or from one without configuration. What it does not know is left alone.

    Raises:
        StartError: an agent runs; nothing is missing; or nothing says which instance it was.
    """
    with _stopped(root):
        stored = _stored(root, strict=True)
        if stored is not None and instance is not None and stored != instance:
            raise StartError(f"the file instance-id says {stored}, not {instance}")
        chosen = stored or instance or await _recovered(root)
        content, _ = _look(root / DATABASE)
        if content is not None and content.instance not in (None, chosen):
            raise StartError(f"{root / DATABASE} is of instance {content.instance}, not {chosen}")
        aside = [] if content is not None else _aside(root)
        if content is None:
            offline.begin(root / DATABASE, chosen, spare=True)
        else:
            offline.adopt(root / DATABASE, chosen)
        known = {} if content is None else content.objects
        lines = await _unknown(root, chosen, known, "is not configured and is left alone")
        _complete(root, chosen)
    return [*lines, *aside, f"instance {chosen}, {len(known)} objects configured; {STOPPED}", *_users(root)]


async def forget(root: Path, objects: Sequence[str], *, sure: bool) -> tuple[list[str], bool]:
    """Begin with nothing where the database is missing or damaged; else have the agent remove objects that
    are left alone, all of them or those named. What would happen, and whether it was done: only when `sure`.

    Raises:
        StartError: an agent runs; there is nothing to forget; an object is not left alone.
    """
    with _stopped(root):
        stored = _stored(root, strict=True)
        content, _ = _look(root / DATABASE)
        if content is not None and (stored is not None or objects):
            lines, left = await _dropped(root, content, stored, objects)
            if sure:
                offline.spare(root / DATABASE, left)
                _complete(root, content.instance or stored or uuid4())
            return _decided(lines, sure=sure)
        found = await _instances(root)
        instance = stored or (next(iter(found)) if len(found) == 1 else uuid4())
        lines = [f"will be removed: {what}, {path}" for what, path in await _found(root, instance)]
        if stored is None and instance not in found:
            lines.append("nothing says which instance this was: marked devices will stay, as somebody else's")
        if sure:
            lines += _aside(root)
            offline.begin(root / DATABASE, instance, spare=False)
            _complete(root, instance)
        return _decided([*lines, *_users(root)], sure=sure)


def _decided(lines: list[str], *, sure: bool) -> tuple[list[str], bool]:
    said = STOPPED if sure else "nothing was changed; repeat with --yes to do so"
    return [*lines, said], sure


async def _dropped(
    root: Path, content: copy.Content, stored: UUID | None, objects: Sequence[str]
) -> tuple[list[str], frozenset[ModelPath]]:
    spared = None if content.is_copy else table.spared(content.spared)
    if spared == frozenset():
        raise StartError(
            f"{root / DATABASE} is there and nothing is left alone; what is configured is deleted through "
            "the agent"
        )
    if spared is None:
        if objects:
            raise StartError(
                "which objects are left alone is known after the next start; start the agent once"
            )
        found = await _found(root, stored)
        unknown = [f"{what}, {path}" for what, path in found if _object(path) not in content.objects]
        return [f"will be removed: {one}" for one in unknown], frozenset()
    try:
        named = frozenset(parse(text) for text in objects) or spared
    except PathSyntaxError as error:
        raise StartError(str(error)) from error
    if unknown_paths := named - spared:
        raise StartError(f"{min(map(str, unknown_paths))} is not left alone; `state show` lists what is")
    return [f"will be removed: {path}" for path in sorted(map(str, named))], spared - named


def _differences(before: copy.Content | None, after: copy.Content) -> list[str]:
    if before is None:
        return ["the database that was there cannot be read: how the copy differs from it is not known"]
    lines = [f"the database that was there: commit {before.revision}; the copy: commit {after.revision}"]
    for path in sorted({*before.objects, *after.objects}):
        old, new = before.objects.get(path), after.objects.get(path)
        if old != new:
            what = "not in the copy" if new is None else "only in the copy" if old is None else "differs"
            lines.append(f"{what}: {path}")
    return lines


async def _unknown(root: Path, instance: UUID, known: dict[str, bytes], words: str) -> list[str]:
    return [
        f"{what}, {path}, {words}"
        for what, path in await _found(root, instance)
        if _object(path) not in known
    ]


async def _found(root: Path, instance: UUID | None) -> list[tuple[str, str]]:
    """What stands on the host: definitions of guests, and devices with the mark of the instance."""
    guests = [(f"guest {one.file.stem}", one.path) for one in remains.definitions(root)]
    marked = [one for one in await remains.devices() if instance is not None and one.instance == instance]
    return [*guests, *((f"device {one.name}", one.path) for one in marked)]


def _object(path: str) -> str:
    """The path of the object that a thing at this path belongs to."""
    try:
        return str(ModelPath(parse(path).elems[:2]))
    except PathSyntaxError:
        return path


async def _instances(root: Path) -> frozenset[UUID]:
    """What the database, or else the guests and (where there is none) the devices say of the instance."""
    content, _ = _look(root / DATABASE)
    if content is not None and content.instance is not None:
        return frozenset({content.instance})
    return remains.instances(remains.definitions(root)) or remains.instances(await remains.devices())


async def _recovered(root: Path) -> UUID:
    found = await _instances(root)
    if len(found) == 1:
        return next(iter(found))
    said = f"marks speak of {', '.join(sorted(map(str, found)))}" if found else "nothing says which it was"
    raise StartError(
        f"{root / 'instance-id'} is missing and {said}; name it: `twinplane-agent state adopt UUID`"
    )


def _stored(root: Path, *, strict: bool = False) -> UUID | None:
    try:
        return UUID((root / "instance-id").read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        if strict and (root / "instance-id").stat().st_size:
            raise StartError(
                f"{root / 'instance-id'} does not hold a UUID; remove it to have it found"
            ) from error
        return None


def _look(file: Path) -> tuple[copy.Content | None, str]:
    """What the database holds, or why that cannot be said."""
    if not remains.is_held(file):
        return None, "missing" if not file.exists() else "empty"
    try:
        return copy.content(file), ""
    except copy.UnreadableError as error:
        return None, f"damaged ({error})"


def _chosen(root: Path, name: str | None) -> Path:
    folder = root / copy.FOLDER
    if name is None:
        good = copy.newest_good(folder)
        if good is None:
            raise StartError(f"there is no good copy in {folder}; {remains.COMMANDS}")
        return good.file
    for file in (folder / name, Path(name)):
        if file.is_file():
            return file
    raise StartError(f"there is no copy {name}; `twinplane-agent state show` lists them")


def _aside(root: Path) -> list[str]:
    aside = copy.put_aside(root / DATABASE, root / copy.FOLDER)
    return [] if aside is None else [f"what was there is kept as {aside}"]


def _complete(root: Path, instance: UUID) -> None:
    """The small files that belong to a whole state directory, where they are missing."""
    for name, text in (("instance-id", str(instance)), ("VERSION", str(LAYOUT))):
        if not remains.is_held(root / name):
            write_file(root / name, f"{text}\n".encode())


def _users(root: Path) -> list[str]:
    if remains.is_held(root / "users.toml"):
        return []
    return ["users.toml is missing: `twinplane-agent user add NAME --role admin` writes one before the start"]


def _require(root: Path) -> None:
    if not root.is_dir():
        raise StartError(f"there is no state directory {root}; name the settings of the agent with --config")


@contextmanager
def _stopped(root: Path) -> Iterator[None]:
    """Nobody else works on the directory meanwhile."""
    _require(root)
    lock = take(root)
    try:
        yield
    except (OSError, copy.UnreadableError) as error:
        raise StartError(f"{root} cannot be written: {error}") from error
    finally:
        os.close(lock)
