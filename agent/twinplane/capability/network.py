"""What this kernel's network can do, found by doing it in a namespace that vanishes with the probe."""

import asyncio
import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Awaitable
from pathlib import Path

from twinplane.errors import DriverError
from twinplane.model.host import Capability
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow

# In the order in which they are tried; each needs those before it that its test uses.
FEATURES = ("bridge", "tun", "ifb", "htb", "ingress", "u32", "mirred")

_CLONE_NEWNET = 0x40000000
_DEADLINE = 20.0  # seconds for everything, module loading included
_MODPROBE = 5.0
_IFB_MODULE = Path("/sys/module/ifb")
_BRIDGE_FILTERS = Path("/proc/sys/net/bridge")
_OPTIONS = {
    "bridge": "CONFIG_BRIDGE",
    "tun": "CONFIG_TUN",
    "ifb": "CONFIG_IFB",
    "htb": "CONFIG_NET_SCH_HTB",
    "ingress": "CONFIG_NET_SCH_INGRESS",
    "u32": "CONFIG_NET_CLS_U32",
    "mirred": "CONFIG_NET_ACT_MIRRED",
}


def probe_network() -> tuple[Capability, ...]:
    """The features of `FEATURES` and ``unfiltered-bridge``, each with the reason and the remedy where it is
    missing.

    Blocks (some 50 ms); never raises for what the host lacks. Leaves nothing behind, except that the module
    ifb is loaded if it was not: without the two devices that it makes unless told otherwise.
    """
    _load_ifb()
    found: list[Capability] = []
    # a thread of its own: a thread that has changed its namespace is of no use for anything else
    thread = threading.Thread(target=_probe, args=(found,), name="network probe", daemon=True)
    thread.start()
    thread.join(_DEADLINE)
    answered = {capability.name: capability for capability in tuple(found)}
    silent = f"no answer in {_DEADLINE:g} s"
    return (
        *(answered.get(name, Capability(name, available=False, reason=silent)) for name in FEATURES),
        _unfiltered_bridge(),
    )


def _probe(found: list[Capability]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        why = f"no network namespace can be made: {os.strerror(ctypes.get_errno())} (run the agent as root)"
        found += (Capability(name, available=False, reason=why) for name in FEATURES)
        return
    asyncio.run(_try_all(found))


async def _try_all(found: list[Capability]) -> None:
    async with Connection() as connection:
        await _try(found, "bridge", _bridge(connection))
        await _try(found, "tun", connection.create_tap("tap"))
        await _try(found, "ifb", connection.create_ifb("ifb", 1500))
        links = {link.name: link for link in await connection.links()}
        shaped = links.get("tap") or links.get("bridge")
        if shaped is None:
            why = "not tried: no device could be made to try it on"
            found += (
                Capability(name, available=False, reason=why) for name in ("htb", "ingress", "u32", "mirred")
            )
            return
        await _try(found, "htb", _htb(connection, shaped))
        await _try(found, "ingress", connection.add_ingress(shaped))
        found += await _redirect(connection, shaped, links.get("ifb") or links["lo"])


async def _try(found: list[Capability], name: str, attempt: Awaitable[None]) -> None:
    try:
        await attempt
    except DriverError as error:
        found.append(_missing(name, error))
    else:
        found.append(Capability(name, available=True))


async def _bridge(connection: Connection) -> None:
    await connection.create_bridge("bridge", 1500, "02:00:00:00:00:01")
    # a bridge on which the host could not be kept silent would be none that the agent can use
    await connection.set_setting("ipv4", "bridge", "arp_ignore", "8")


async def _htb(connection: Connection, link: LinkRow) -> None:
    await connection.set_shaper(link)
    await connection.set_class(link, 8_000_000, 15_625)
    shape = await connection.shape(link.index)
    if shape is None or shape.rate != 8_000_000:
        raise DriverError(f"a rate of 8000000 bit/s is read back as {shape}")


async def _redirect(connection: Connection, link: LinkRow, target: LinkRow) -> tuple[Capability, Capability]:
    try:
        await connection.add_redirect(link, target)
    except DriverError as error:
        if "classifier" in str(error):
            untried = Capability("mirred", available=False, reason="not tried: u32 is missing")
            return _missing("u32", error), untried
        return Capability("u32", available=True), _missing("mirred", error)
    return Capability("u32", available=True), Capability("mirred", available=True)


def _missing(name: str, error: DriverError) -> Capability:
    remedy = error.remedy or f"a kernel with {_OPTIONS[name]}, as module or built in"
    return Capability(name, available=False, reason=f"{error}; remedy: {remedy}")


def _unfiltered_bridge() -> Capability:
    """Whether frames pass a bridge without being shown to the host's own packet filter."""
    for name in ("iptables", "ip6tables", "arptables"):
        setting = f"bridge-nf-call-{name}"
        with contextlib.suppress(OSError):
            if (_BRIDGE_FILTERS / setting).read_text().strip() != "0":
                why = (
                    f"net.bridge.{setting} is on: the host's packet filter judges the traffic of all switches"
                )
                remedy = f"sysctl -w net.bridge.{setting}=0"
                return Capability("unfiltered-bridge", available=False, reason=f"{why}; remedy: {remedy}")
    return Capability("unfiltered-bridge", available=True)


def _load_ifb() -> None:
    if _IFB_MODULE.exists():
        return
    # if this fails the attempt to make a device says more
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            ["modprobe", "--quiet", "ifb", "numifbs=0"],
            check=False,
            timeout=_MODPROBE,
            stdin=subprocess.DEVNULL,
        )
