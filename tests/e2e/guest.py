"""Guests as the host sees them: their processes and their consoles."""

from pathlib import Path


def guests(state_dir: Path) -> dict[str, int]:
    """Processes of QEMU whose files are in this state directory: name of the domain → process id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and any(bytes(state_dir) in word for word in words):
            name = next(word for word in words if word.startswith(b"guest="))
            found[name.decode().removeprefix("guest=").partition(",")[0]] = int(process.name)
    return found


def guest(state_dir: Path) -> int:
    """The process id of the only guest."""
    (pid,) = guests(state_dir).values()
    return pid


def says(state_dir: Path, text: str) -> bool:
    """Whether a console has shown this since it was last opened."""
    logs = (state_dir / "appliances").glob("*/console.log")
    return any(text in log.read_text(errors="replace") for log in logs)


def left_behind(state_dir: Path) -> list[str]:
    """Processes, control groups, definitions and files of appliances."""
    folders = [path for name in ("images", "appliances", "trash") for path in (state_dir / name).rglob("*")]
    definitions = list((state_dir / "libvirt").rglob("vm*.xml"))
    groups = list(Path("/sys/fs/cgroup").glob("**/qemu-embed-*")) if guests(state_dir) else []
    return [*map(str, (*folders, *definitions, *groups)), *guests(state_dir)]
