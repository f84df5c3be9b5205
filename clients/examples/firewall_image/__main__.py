"""Build the firewall appliance image: ``python clients/examples/firewall_image --output DIR [--cache DIR]``.

Makes `vmlinuz` and `initrd.img` from Debian packages (distribution kernel, static busybox, nftables and
the libraries it is linked with) and `image.json`, the value of the image object that names both with their
digests. The same packages give the same bytes. Nothing is installed on the host; packages are kept in the
cache folder, and an image that this very builder made is left as it is.
"""

import argparse
import gzip
import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import debian_packages
import kernel_modules
import newc
import shared_libraries

HERE = Path(__file__).parent
KERNEL_PACKAGE = "linux-image-cloud-amd64"
TOOL_PACKAGES = ("busybox-static", "nftables")
# For emulation: a timer that comes late on a busy host is no reason to panic, one processor needs no code
# patched for it at 20,000 places, and nobody waits for self-tests of ciphers.
COMMAND_LINE = "console=ttyS0 quiet no_timer_check noreplace-smp cryptomgr.notests"
FOLDERS = (
    "bin",
    "dev",
    "etc",
    "lib",
    "lib64",
    "mnt",
    "proc",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr/sbin",
)


def main() -> int:
    """Build, or find the image built before; print where it is. Returns the exit code."""
    arguments = argparse.ArgumentParser(description="Build the firewall appliance image.")
    arguments.add_argument("--output", type=Path, default=Path("build/images/firewall"))
    arguments.add_argument("--cache", type=Path, default=Path("build/packages"))
    options = arguments.parse_args()
    try:
        files = build(options.output, options.cache)
    except debian_packages.PackageError as error:
        print(f"firewall image: {error}", file=sys.stderr)
        return 1
    value = options.output / "image.json"
    value.write_text(json.dumps(_image(options.output.name, files), indent=2) + "\n")
    print(f"{value}: {', '.join(str(file['file']) for file in files.values())}")
    return 0


def build(output: Path, cache: Path) -> dict[str, dict[str, str | int]]:
    """Bring `output` up to date; returns name → file, digest and size of kernel and initial RAM disk."""
    kernel_file, initrd_file = output / "vmlinuz", output / "initrd.img"
    stamp = output / "inputs.sha256"
    if not (
        kernel_file.exists() and initrd_file.exists() and stamp.exists() and stamp.read_text() == _inputs()
    ):
        output.mkdir(parents=True, exist_ok=True)
        packages = debian_packages.fetch(KERNEL_PACKAGE, TOOL_PACKAGES, cache)
        with tempfile.TemporaryDirectory(prefix="firewall-image-") as scratch:
            root = Path(scratch)
            debian_packages.unpack(packages, root)
            shutil.copyfile(next((root / "boot").glob("vmlinuz-*")), kernel_file)
            initrd_file.write_bytes(gzip.compress(_initramfs(root), 6, mtime=0))
        stamp.write_text(_inputs())
    return {name: _describe(path) for name, path in (("kernel", kernel_file), ("initrd", initrd_file))}


def _image(folder: str, files: dict[str, dict[str, str | int]]) -> dict[str, dict[str, str]]:
    """The value of /images/image[name=firewall] for these files (RFC 7951), sources as the agent sees."""
    config = {"name": "firewall", "format": "KERNEL", "command-line": COMMAND_LINE}
    for role, file in files.items():
        config[f"{role}-source"] = f"{folder}/{Path(str(file['file'])).name}"
        config[f"{role}-digest"] = str(file["digest"])
    return {"twinplane-image:config": config}


def _initramfs(root: Path) -> bytes:
    archive = newc.Archive()
    for folder in FOLDERS:
        archive.folder(folder)
    archive.device("dev/console", 5, 1)
    archive.file("init", (HERE / "init").read_bytes(), 0o755)
    archive.file("bin/busybox", (root / "bin/busybox").read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    nft = root / "usr/sbin/nft"
    archive.file("usr/sbin/nft", nft.read_bytes(), 0o755)
    for name, path in shared_libraries.needed(nft, root):
        archive.file(name, path.read_bytes(), 0o755)
    modules = kernel_modules.load_order(root)
    folder = f"lib/modules/{next((root / 'lib/modules').iterdir()).name}"
    archive.folder(folder)
    for name, content in modules:
        archive.file(f"{folder}/{name}.ko", kernel_modules.unsigned(content), 0o644)
    archive.file(f"{folder}/modules.dep", kernel_modules.dependency_table(modules).encode(), 0o644)
    wanted = [name for name, _ in modules if name in kernel_modules.WANTED]
    archive.file("lib/modules/wanted", " ".join(wanted).encode(), 0o644)
    return archive.finish()


def _inputs() -> str:
    digest = hashlib.sha256()
    for path in sorted(HERE.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _describe(path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    return {
        "file": str(path),
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "size": len(content),
    }


if __name__ == "__main__":
    sys.exit(main())
