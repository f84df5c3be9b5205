"""Which kernel modules the appliance needs and in what order they load.

Debian's packages carry no modules.dep (depmod makes it at installation), so the order comes from the modules
themselves: each names in its section `.modinfo` what it depends on.
"""

import lzma
import re
from pathlib import Path

# What the appliance needs at the end; dependencies come by themselves. Built in or absent: left out.
WANTED = (
    "virtio_pci",
    "virtio_net",
    "virtio_blk",
    "isofs",
    "button",
    "evdev",
    "nf_tables",
    "nft_ct",
    "nft_limit",
    "nft_log",
    "nft_reject_inet",
    "nft_nat",
    "nft_masq",
    "nft_redir",
    "nft_fib_inet",
    "nft_objref",
    "nft_quota",
    "nft_hash",
    "nft_numgen",
    "nft_chain_nat",
    "nf_log_syslog",
)


def load_order(root: Path) -> tuple[tuple[str, bytes], ...]:
    """(name, uncompressed module) of the wanted modules and all they depend on, dependencies first."""
    files = {_plain(path.name.split(".")[0]): path for path in sorted((root / "lib/modules").rglob("*.ko*"))}
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in ordered or name not in files:
            return
        content = files[name].read_bytes()
        if files[name].suffix == ".xz":
            content = lzma.decompress(content)
        for dependency in _dependencies(content):
            add(dependency)
        ordered[name] = content

    for name in WANTED:
        add(name)
    return tuple(ordered.items())


def _dependencies(module: bytes) -> list[str]:
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    return [_plain(name) for name in found.group(1).decode().split(",") if name] if found else []


def _plain(name: str) -> str:
    return name.replace("-", "_")
