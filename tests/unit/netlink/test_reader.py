"""Questions to the kernel: late answers, interrupted dumps, silence."""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from twinplane.errors import DriverError
from twinplane.netlink import reader
from twinplane.netlink.message import KernelError, messages
from twinplane.netlink.reader import Reader

Answer = Callable[[int], list[bytes]]


def message(kind: int, flags: int, sequence: int, payload: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, sequence, 0) + payload


def done(sequence: int) -> bytes:
    return message(3, 2, sequence, bytes(4))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answer]]:
    """What the other side answers to each question, in turn; nothing once the list is empty."""
    answers: list[Answer] = []
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        near.setblocking(False)
        opened.append(far)

        asyncio.get_running_loop().add_reader(far, respond, far)
        return near

    def respond(far: socket.socket) -> None:
        (question,) = messages(far.recv(65536))
        if answers:
            for datagram in answers.pop(0)(question.sequence):
                far.send(datagram)

    monkeypatch.setattr(reader, "_open", connect)
    yield answers
    for far in opened:
        far.close()


def ask(question: Callable[[Reader], object], deadline: float = 5.0) -> object:
    """Put a question in an event loop of its own."""

    async def run() -> object:
        asker = Reader(deadline)
        try:
            return await question(asker)  # type: ignore[misc]
        finally:
            asker.close()

    return asyncio.run(run())


def test_a_dump_is_all_its_messages(kernel: list[Answer]) -> None:
    kernel.append(
        lambda n: [
            message(16, 2, n, b"aaaa") + message(16, 2, n, b"bbbb"),
            message(16, 2, n, b"cccc") + done(n),
        ]
    )
    assert ask(lambda asker: asker.dump(18, b"", "list")) == [b"aaaa", b"bbbb", b"cccc"]


def test_a_disturbed_dump_is_repeated_and_a_restless_one_given_up(kernel: list[Answer]) -> None:
    def disturbed(n: int) -> list[bytes]:
        return [message(16, 2 | 0x10, n, b"old!") + done(n)]

    kernel += [disturbed, lambda n: [message(16, 2, n, b"new!") + done(n)]]
    assert ask(lambda asker: asker.dump(18, b"", "list")) == [b"new!"]
    kernel += [disturbed] * 5
    with pytest.raises(DriverError, match="list: the configuration changed during 5 dumps"):
        ask(lambda asker: asker.dump(18, b"", "list"))


def test_an_answer_to_an_earlier_question_is_not_taken(kernel: list[Answer]) -> None:
    kernel.append(
        lambda n: [message(16, 2, n + 99, b"late") + done(n + 99), message(16, 2, n, b"mine") + done(n)]
    )
    assert ask(lambda asker: asker.dump(18, b"", "list")) == [b"mine"]


def test_absent_is_none_and_refused_is_an_error(kernel: list[Answer]) -> None:
    kernel.append(lambda n: [message(2, 0, n, struct.pack("=i", -errno.ENODEV))])
    assert ask(lambda asker: asker.get(18, b"", "read x")) is None
    kernel.append(lambda n: [message(2, 0, n, struct.pack("=i", -errno.EPERM))])
    with pytest.raises(KernelError, match="read x: Operation not permitted"):
        ask(lambda asker: asker.get(18, b"", "read x"))


def test_silence_ends_at_the_deadline_and_the_next_question_is_answered(kernel: list[Answer]) -> None:
    async def twice(asker: Reader) -> object:
        with pytest.raises(DriverError, match=r"list: no answer from the kernel in 0.05 s"):
            await asker.dump(18, b"", "list")
        kernel.append(lambda n: [message(16, 2, n, b"here") + done(n)])
        return await asker.dump(18, b"", "list")

    assert ask(twice, deadline=0.05) == [b"here"]
