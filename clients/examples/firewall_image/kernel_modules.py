"""Which kernel modules the appliance needs and what loads before what.

Debian's packages carry no modules.dep (depmod makes it at installation), so it comes from the modules
themselves: each names in its section `.modinfo` what it depends on.
"""

import lzma
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

# At the end of a signed module: the signature, a head of 12 bytes with its length, this text
# (include/linux/module_signature.h).
SIGNED = b"~Module signature appended~\n"
SIGNATURE_HEAD = struct.Struct(">8xI")

# What rules and devices may need; dependencies come by themselves. Built in or absent: left out.
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


def unsigned(module: bytes) -> bytes:
    """The module without its signature: the appliance trusts its own image, and an emulated processor needs a
    third of a second to verify forty."""
    if not module.endswith(SIGNED):
        return module
    end = len(module) - len(SIGNED) - SIGNATURE_HEAD.size
    (length,) = SIGNATURE_HEAD.unpack_from(module, end)
    return module[: end - length]


def dependency_table(modules: Iterable[tuple[str, bytes]]) -> str:
    """modules.dep (modules.dep(5)): each module and all that it depends on; what loads first comes last."""
    direct = {name: _dependencies(content) for name, content in modules}

    def below(name: str) -> Iterator[str]:
        ordered: dict[str, None] = {}

        def add(dependent: str) -> None:
            for dependency in direct[dependent]:
                if dependency in direct and dependency not in ordered:
                    add(dependency)
                    ordered[dependency] = None

        add(name)
        return reversed(ordered)

    return "".join(f"{name}.ko:{''.join(f' {each}.ko' for each in below(name))}\n" for name in direct)


def _dependencies(module: bytes) -> list[str]:
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    return [_plain(name) for name in found.group(1).decode().split(",") if name] if found else []


def _plain(name: str) -> str:
    return name.replace("-", "_")
