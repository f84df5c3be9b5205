"""The shared libraries that a program of an unpacked root needs, by the root's own dynamic loader."""

import subprocess
from pathlib import Path

LOADER = "lib64/ld-linux-x86-64.so.2"
FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")


def needed(program: Path, root: Path) -> tuple[tuple[str, Path], ...]:
    """(path inside the image, file) of the loader and of every library, direct or not, sorted."""
    loader = (root / LOADER).resolve()
    if not loader.is_file():  # the link is absolute in some releases: /lib/x86_64-linux-gnu/…
        loader = next((root / FOLDERS[0]).glob("ld-linux-x86-64.so.2"))
    search = ":".join(str(root / folder) for folder in FOLDERS)
    listing = subprocess.run(
        [str(loader), "--library-path", search, "--list", str(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    found: dict[str, Path] = {LOADER: loader}
    for line in listing.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow and not name.startswith("/"):
            path = Path(rest.split(" (")[0])
            if not path.is_relative_to(root):
                raise ValueError(f"{name} of {program.name} is in none of the packages")
            found[f"lib/{name}"] = path
    return tuple(sorted(found.items()))
