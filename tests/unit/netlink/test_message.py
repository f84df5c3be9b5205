"""Headers and attributes of netlink messages."""

import errno
import struct

import pytest

from twinplane.netlink.message import (
    KernelError,
    attribute,
    attributes,
    error_code,
    messages,
    request,
    text,
    u32,
)


def test_attributes_are_padded_and_found_again() -> None:
    payload = (
        b"head" + attribute(3, b"lo\0") + attribute(4 | 0x8000, struct.pack("=I", 1500)) + attribute(9, b"")
    )
    assert len(payload) % 4 == 0
    found = attributes(payload, 4)
    assert found == {3: b"lo\0", 4: struct.pack("=I", 1500), 9: b""}
    assert (text(found[3]), u32(found[4]), text(None), u32(None), u32(b"", 7)) == ("lo", 1500, "", 0, 7)


@pytest.mark.parametrize("rest", [b"\1", struct.pack("=HH", 3, 1), struct.pack("=HH", 0, 0)])
def test_a_broken_tail_ends_the_attributes(rest: bytes) -> None:
    assert attributes(attribute(1, b"abcd") + rest) == {1: b"abcd"}


def test_messages_of_one_datagram_in_order() -> None:
    data = request(16, 0, 7, b"abcde") + b"\0\0\0" + request(3, 0x2, 8, b"\0\0\0\0")
    first, second = messages(data)
    assert (first.type, first.flags, first.sequence, first.payload) == (16, 1, 7, b"abcde")
    assert (second.type, second.sequence) == (3, 8)
    assert list(messages(struct.pack("=IHHII", 3, 16, 0, 0, 0))) == []


def test_errors_speak_the_kernels_words() -> None:
    assert error_code(struct.pack("=i", -errno.ENODEV)) == errno.ENODEV
    assert error_code(b"") == 0
    refused = KernelError("make bridge x", errno.EPERM)
    assert str(refused) == "make bridge x: Operation not permitted"
    assert "root" in refused.remedy
    assert str(KernelError("set x", errno.EINVAL, "mtu too high")) == "set x: mtu too high"
    assert KernelError("set x", errno.EINVAL).remedy == ""
