"""Debian packages by apt: what a package depends on, downloaded into a cache folder, unpacked, not installed.

Works as root and, where the package lists are there already, as any user. An apt call takes a second or more
on a small machine, so each question is asked once for all packages.
"""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Nothing in the image needs these, though the C library's package depends on them.
LEFT_OUT = re.compile(r"^lib(idn2|unistring|crypt1)")


class PackageError(Exception):
    """A package cannot be had; says which and why."""


def fetch(kernel: str, tools: tuple[str, ...], cache: Path) -> tuple[Path, ...]:
    """The package files of the kernel that the meta-package `kernel` names, of `tools` and of the libraries
    those depend on, downloaded where they are not in `cache`. Raises `PackageError`."""
    names = _closure(kernel, tools)
    if not names:
        _run("apt-get", "update", "-q")
        names = _closure(kernel, tools)
    if not names:
        raise PackageError(f"{kernel} is not known to apt; add a Debian repository that has it")
    cache.mkdir(parents=True, exist_ok=True)
    # One line a package: 'URI' file size digest.
    listing = _run("apt-get", "download", "--print-uris", *names)
    files = tuple(cache / line.split()[1] for line in listing.splitlines() if line.startswith("'"))
    if not all(file.exists() for file in files):
        _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names, cwd=cache)
    missing = [file.name for file in files if not file.exists()]
    if missing or len(files) < len(names):
        raise PackageError(f"apt-get download did not bring {', '.join(missing) or ', '.join(names)}")
    return files


def unpack(packages: Iterable[Path], root: Path) -> None:
    """Unpack package files below `root`; no maintainer script runs. Raises `PackageError`."""
    for package in packages:
        _run("dpkg-deb", "--extract", str(package), str(root))


def _closure(kernel: str, tools: tuple[str, ...]) -> tuple[str, ...]:
    """The kernel package, the tools and their libraries; empty where apt does not know the kernel."""
    graph = _depends(kernel, *tools)
    image = next((name for name in graph.get(kernel, ()) if name.startswith("linux-image-")), None)
    if image is None:
        return ()
    wanted = [image]
    pending = list(tools)
    while pending:
        name = pending.pop(0)
        if name not in wanted:
            wanted.append(name)
            pending += [
                each for each in graph.get(name, ()) if each.startswith("lib") and not LEFT_OUT.match(each)
            ]
    return tuple(wanted)


def _depends(*names: str) -> dict[str, tuple[str, ...]]:
    """Package → names it depends on, for these and all below them; of alternatives the first is taken."""
    only = [
        f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    ]
    try:
        text = _run("apt-cache", "depends", "--recurse", "--installed=false", *only, *names)
    except PackageError:
        return {}  # apt ends with an error where a name is unknown, as before the first update
    graph: dict[str, list[str]] = {}
    current: list[str] = []
    alternative = False
    for line in text.splitlines():
        if not line.startswith(" "):
            current = graph.setdefault(line.strip(), [])
        elif found := re.match(r"^ ([ |])(?:Pre)?Depends: (\S+)", line):
            if not alternative:
                current.append(found.group(2).split(":")[0])
            alternative = found.group(1) == "|"
    return {name: tuple(each) for name, each in graph.items()}


def _run(*command: str, cwd: Path | None = None) -> str:
    environment = {"LC_ALL": "C", "PATH": SEARCH_PATH, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise PackageError(f"{' '.join(command)}: {done.stderr.strip() or 'failed'}")
    return done.stdout
