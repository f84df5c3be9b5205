"""Files below the state directory: placed so that a crash leaves all or nothing, put aside, restored.

What is known of a copy (its digest, whose it is) is kept beside it in ``<name>.json`` with the identity of
the file it was written for (inode, size, time). A file of another identity is read again: state cannot lie.
"""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from twinplane.image.source import SourceError, copy_digesting, digest_of, open_source

TRASH = "trash"
NOTE = ".json"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A copy below the state directory; `mark` is the alias of its owner (model.names.alias)."""

    file: str
    digest: str
    size: int
    mark: str


class Store:
    """The files of a state directory. Methods block; they raise OSError and `SourceError`."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir

    def path(self, file: str) -> Path:
        """Where a file of the store is."""
        return self._root / file

    def copy(self, image_dir: Path, source: str, file: str, digest: str, mark: str) -> None:
        """Copy a source file to `file` while digesting it; refused when it has another digest."""
        target = self._make_way(file)
        temporary = target.with_name(f".{target.name}.new")
        try:
            with open_source(image_dir, source) as reader, temporary.open("wb") as writer:
                found = copy_digesting(reader, writer)
                if found != digest:
                    raise SourceError(f"{source} has digest {found}, not {digest}")
                _settle(writer)
            self._note(target, temporary, digest, mark)
            temporary.rename(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def write(self, file: str, content: bytes) -> None:
        """Write a whole file, which only its owner can read."""
        target = self._make_way(file)
        temporary = target.with_name(f".{target.name}.new")
        try:
            with os.fdopen(os.open(temporary, _NEW, 0o600), "wb") as writer:
                writer.write(content)
                _settle(writer, 0o400)
            temporary.rename(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def read(self, file: str) -> StoredFile | None:
        """What stands under a name, or None; reads the content only where its identity is not as noted."""
        target = self._root / file
        try:
            status = target.stat()
        except FileNotFoundError:
            return None
        note = _read_note(target)
        if note.get("identity") == _identity(status):
            return StoredFile(file, str(note["digest"]), status.st_size, str(note["mark"]))
        with target.open("rb") as reader:
            return StoredFile(file, digest_of(reader), status.st_size, str(note.get("mark", "")))

    def set_aside(self, file: str) -> None:
        """Move a file (and its note) into the trash; does nothing where there is none."""
        self._move(self._root / file, self._root / TRASH / file)
        self._prune(self._root / file)

    def restore(self, file: str) -> bool:
        """Bring a file back from the trash; False where it is not there."""
        return self._move(self._root / TRASH / file, self._root / file)

    def empty_trash(self) -> None:
        """Delete what was put aside, for good."""
        trash = self._root / TRASH
        if trash.is_dir():
            for entry in trash.iterdir():
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()

    def names(self, folder: str) -> tuple[str, ...]:
        """Files two levels below a folder, relative to the state directory, without notes."""
        found = (self._root / folder).glob("*/*")
        return tuple(
            sorted(
                str(path.relative_to(self._root))
                for path in found
                if path.suffix != NOTE and not path.name.startswith(".")
            )
        )

    def owners(self) -> set[int]:
        """The user ids that files of appliances belong to, those in the trash included."""
        found: set[int] = set()
        for folder in ("appliances", f"{TRASH}/appliances"):
            for path in (self._root / folder).glob("*/*"):
                with suppress(FileNotFoundError):
                    found.add(path.lstat().st_uid)
        return found

    def sweep(self) -> None:
        """Delete what a crash left behind: temporary files, notes without file, empty folders."""
        for folder in ("images", "appliances"):
            for path in (self._root / folder).glob("*/*"):
                lonely = path.suffix == NOTE and not path.with_suffix("").exists()
                if path.name.startswith(".") or lonely:
                    path.unlink()
            for path in (self._root / folder).glob("*"):
                self._prune(path / "x")

    def discard(self, file: str) -> None:
        """Delete one file that nobody will want back (a console log); its folder goes with the last file."""
        (self._root / file).unlink(missing_ok=True)
        self._prune(self._root / file)

    def _make_way(self, file: str) -> Path:
        target = self._root / file
        # Guests run as a user of their own and open these files themselves.
        target.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        return target

    def _note(self, target: Path, written: Path, digest: str, mark: str) -> None:
        # Renaming changes the inode's change time, so that is not part of the identity.
        note = {"identity": _identity(written.stat()), "digest": digest, "mark": mark}
        path = target.with_name(target.name + NOTE)
        temporary = path.with_name(f".{path.name}.new")
        with temporary.open("w") as writer:
            json.dump(note, writer)
            _settle(writer)
        temporary.rename(path)

    def _move(self, before: Path, after: Path) -> bool:
        if not before.exists():
            return False
        after.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            before.with_name(before.name + NOTE).rename(after.with_name(after.name + NOTE))
        before.rename(after)
        _sync_folder(after.parent)
        _sync_folder(before.parent)
        return True

    def _prune(self, path: Path) -> None:
        """Remove the folder that held a file when nothing is left in it."""
        with suppress(OSError):
            path.parent.rmdir()


def _identity(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _read_note(target: Path) -> dict[str, object]:
    try:
        note = json.loads(target.with_name(target.name + NOTE).read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and {"identity", "digest", "mark"} <= note.keys() else {}


def _settle(file: IO[Any], mode: int = 0o444) -> None:
    file.flush()
    os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
