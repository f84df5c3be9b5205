from ipaddress import ip_address
from pathlib import Path

from twinplane.identity.host_name import host_names

FIB = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.7
           /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""
INET6 = """20010db8000000000000000000000007 02 40 00 80 eth0
fe8000000000000002163efffe000001 02 40 20 80 eth0
00000000000000000000000000000001 01 80 10 80 lo
"""


def test_addresses_of_every_interface_without_link_local(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB)
    (tmp_path / "if_inet6").write_text(INET6)
    names = host_names(tmp_path)
    assert names.addresses == tuple(
        ip_address(text) for text in ("127.0.0.1", "192.0.2.7", "::1", "2001:db8::7")
    )
    assert "localhost" in names.dns


def test_a_kernel_without_ipv6(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(FIB)
    assert ip_address("192.0.2.7") in host_names(tmp_path).addresses


def test_this_host() -> None:
    assert ip_address("127.0.0.1") in host_names().addresses
