"""Writes a cpio archive in the "newc" form that the kernel unpacks as its first root file system.

Source: kernel document driver-api/early-userspace/buffer-format. Times, owners and inode numbers are
fixed, so that the same content gives the same bytes.
"""

import stat


class Archive:
    """Entries in the order they are added; parents must come before children."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._inode = 0

    def folder(self, name: str) -> None:
        """Add a folder and, before it, those above it."""
        parents = name.split("/")
        for depth in range(1, len(parents) + 1):
            self._entry("/".join(parents[:depth]), stat.S_IFDIR | 0o755, links=2)

    def file(self, name: str, content: bytes, mode: int) -> None:
        """Add a regular file."""
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def device(self, name: str, major: int, minor: int) -> None:
        """Add a character device."""
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self) -> bytes:
        """The whole archive, ended by its trailer."""
        self._inode = -1
        self._entry("TRAILER!!!", 0)
        return b"".join(self._parts)

    def _entry(
        self, name: str, mode: int, content: bytes = b"", *, links: int = 1, device: tuple[int, int] = (0, 0)
    ) -> None:
        self._inode += 1
        path = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(path), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        self._parts += [head, b"\0" * (-len(head) % 4), content, b"\0" * (-len(content) % 4)]
