"""The names and addresses under which clients may reach this host."""

import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))
RESOLVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Names:
    """DNS names and addresses, sorted, without link-local ones."""

    dns: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...]


def host_names(proc: Path = Path("/proc/net")) -> Names:
    """localhost, the host name, its full name if DNS tells it within a second, and every local address."""
    node = socket.gethostname()
    dns = {"localhost", node, _full_name(node)}
    addresses = {*LOOPBACK, *_ipv4(proc / "fib_trie"), *_ipv6(proc / "if_inet6")}
    usable = {address for address in addresses if not address.is_link_local and not address.is_multicast}
    return Names(
        tuple(sorted(name for name in dns if name.isascii() and name)),
        tuple(sorted(usable, key=lambda address: (address.version, int(address)))),
    )


def _full_name(node: str) -> str:
    # The resolver may hang for long where there is no DNS, and cannot be interrupted.
    answer: list[str] = []
    thread = threading.Thread(target=lambda: answer.append(socket.getfqdn(node)), daemon=True)
    thread.start()
    thread.join(RESOLVE_SECONDS)
    return answer[0] if answer else node


def _ipv4(path: Path) -> set[IPv4Address]:
    # A local address is a line "|-- 192.0.2.1" followed by "/32 host LOCAL" (kernel: net/ipv4/fib_trie.c).
    found: set[IPv4Address] = set()
    last = ""
    for line in _lines(path):
        word = line.strip().removeprefix("|-- ").removeprefix("+-- ")
        if word.startswith("/32 host LOCAL"):
            found.add(IPv4Address(last))
        else:
            last = word
    return {address for address in found if not address.is_loopback}


def _ipv6(path: Path) -> set[IPv6Address]:
    return {IPv6Address(bytes.fromhex(line.split()[0])) for line in _lines(path) if line.strip()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []  # a kernel without that family
