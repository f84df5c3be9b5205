"""Reading requests: one socket, one question at a time, every wait with a deadline."""

import asyncio
import errno
import socket

from twinplane.errors import DriverError
from twinplane.netlink.message import (
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    KernelError,
    Message,
    error_code,
    messages,
    request,
)

_RECEIVE = 1 << 17  # the kernel fills at most 32 KiB at a time, more does no harm
_SOL_NETLINK = 270
_NETLINK_GET_STRICT_CHK = 12
_ATTEMPTS = 5


class Reader:
    """Asks the kernel; changes nothing. Works in the network namespace of the thread that first asks."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._socket: socket.socket | None = None
        self._sequence = 0
        self._lock = asyncio.Lock()

    def close(self) -> None:
        """Close the socket; the next question opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def dump(self, kind: int, body: bytes, doing: str) -> list[bytes]:
        """All payloads of a dump that was not disturbed by a change while it ran.

        Raises:
            KernelError: the kernel refused. DriverError: no answer in time, or changes never paused.
        """
        for _attempt in range(_ATTEMPTS):
            answer = await self._ask(kind, NLM_F_DUMP, body, doing)
            if not any(message.flags & NLM_F_DUMP_INTR for message in answer):
                return [message.payload for message in answer]
        raise DriverError(f"{doing}: the configuration changed during {_ATTEMPTS} dumps in a row")

    async def get(self, kind: int, body: bytes, doing: str) -> bytes | None:
        """The payload of a single answer; None where the kernel says that there is no such object.

        Raises:
            KernelError: refused for another reason. DriverError: no answer in time.
        """
        try:
            answer = await self._ask(kind, NLM_F_ACK, body, doing)
        except KernelError as refusal:
            if refusal.code in (errno.ENODEV, errno.ENOENT):
                return None
            raise
        return answer[0].payload if answer else None

    async def _ask(self, kind: int, flags: int, body: bytes, doing: str) -> list[Message]:
        async with self._lock:
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._converse(kind, flags, body, doing)
            except TimeoutError:
                self.close()  # a late answer must not be taken for the next one
                raise DriverError(f"{doing}: no answer from the kernel in {self._deadline:g} s") from None
            except asyncio.CancelledError:
                self.close()
                raise
            except OSError as error:
                self.close()
                raise KernelError(doing, error.errno or errno.EIO) from error

    async def _converse(self, kind: int, flags: int, body: bytes, doing: str) -> list[Message]:
        if self._socket is None:
            self._socket = _open()
        loop = asyncio.get_running_loop()
        self._sequence += 1
        await loop.sock_sendall(self._socket, request(kind, flags, self._sequence, body))
        answer: list[Message] = []
        while True:
            if answer:
                await asyncio.sleep(0)  # what is there already is received without a pause
            for message in messages(await loop.sock_recv(self._socket, _RECEIVE)):
                if message.sequence != self._sequence:
                    continue
                if message.type in (NLMSG_ERROR, NLMSG_DONE):
                    if code := error_code(message.payload):
                        raise KernelError(doing, code)
                    return answer
                answer.append(message)


def _open() -> socket.socket:
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        made.setsockopt(_SOL_NETLINK, _NETLINK_GET_STRICT_CHK, 1)
        made.setblocking(False)
        made.bind((0, 0))
    except OSError:
        made.close()
        raise
    return made
