"""vNIC → tap, port and shaping.

Towards the appliance the root HTB of the tap shapes; from it, an ingress redirect sends everything through
the root HTB of an IFB. A direction without a limit has neither. The tap's root belongs to whoever holds the
tap open (libvirt replaces it at each start), so it is wanted only while a guest should run.
"""

from uuid import UUID

from twinplane.model.appliance import RateLimit, Vnic
from twinplane.model.names import bridge_name, derived_mac, ifb_name, tap_name
from twinplane.model.switch import switch_path
from twinplane.plan.resource import Htb, Ifb, Port, Redirect, Resource, Tap
from twinplane.share.network import default_burst, kernel_burst, kernel_rate
from twinplane_wire.path import Path


def guest_mac(instance: UUID, path: Path, vnic: Vnic) -> str:
    """The address that the guest sees: as configured, else derived from the vNIC's path."""
    return vnic.mac_address or derived_mac(instance, path)


def host_mac(mac: str) -> str:
    """The address of the host's end of a vNIC.

    The guest's with the first octet fe, which is what libvirt gives a tap it opens (FA where the guest's is
    fe already): the same before and after a start.
    """
    return ("fa" if mac.startswith("fe") else "fe") + mac[2:]


def realise(instance: UUID, domain: str, path: Path, vnic: Vnic, *, running: bool) -> tuple[Resource, ...]:
    """The resources of one vNIC at model path `path` of the appliance whose domain has that name."""
    tap = tap_name(instance, path)
    resources: list[Resource] = [
        Tap(tap, path, vnic.mtu, host_mac(guest_mac(instance, path, vnic))),
        Port(tap, path, bridge_name(instance, switch_path(vnic.virtual_switch)), up=True),
    ]
    if vnic.ingress is not None and running:
        resources.append(_htb(tap, path, vnic.mtu, vnic.ingress, domain))
    if vnic.egress is not None:
        ifb = ifb_name(instance, path)
        resources += [
            Ifb(ifb, path, vnic.mtu),
            _htb(ifb, path, vnic.mtu, vnic.egress, None),
            Redirect(tap, ifb, path),
            Port(ifb, path, master=None, up=True),
        ]
    return tuple(resources)


def _htb(device: str, path: Path, mtu: int, share: RateLimit, domain: str | None) -> Htb:
    rate = kernel_rate(share.limit)
    burst = default_burst(rate, mtu) if share.burst is None else share.burst
    return Htb(device, rate, kernel_burst(rate, burst), path, domain)
