"""Tell the service supervisor that the agent is ready (sd_notify(3)); nothing where there is none."""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send one state line such as ``READY=1`` or ``STOPPING=1`` to the socket the supervisor named; where
    nobody listens there, a warning is all."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            link.connect(address)
            link.sendall(state.encode())
    except OSError as error:
        log.warning("%s could not be told to %s: %s", state, address.replace("\0", "@"), error)
