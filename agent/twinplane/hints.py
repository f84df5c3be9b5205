"""Commands to try against an agent that has just started, ready to paste."""

import sys
from pathlib import Path
from typing import TextIO

from twinplane.identity.certificates import fingerprint
from twinplane.settings import TlsMode


def print_hints(address: str, state_dir: Path, mode: TlsMode, out: TextIO) -> None:
    """Where the certificates are, and one command each for gnmic, gnmi_cli and the bundled client."""
    tls = state_dir / "tls"
    ca, cert, key = tls / "ca.pem", tls / "admin.pem", tls / "admin.key"
    request = "path: <elem: <name: 'system'>> encoding: JSON_IETF"
    if mode is TlsMode.MUTUAL:
        how = "mutual TLS"
        who = f"certificate  {cert}   (user admin)\n  key          {key}"
        gnmic, gnmi_cli = f"--tls-cert {cert} --tls-key {key}", f"-client_crt {cert} -client_key {key}"
        bundled = f"--cert {cert} --key {key}"
    else:
        how = "TLS and passwords"
        who = "user         one that was made with: twinplane-agent user add NAME --role admin --password"
        gnmic, gnmi_cli = "-u NAME -p PASSWORD", "-with_user_pass"
        bundled = "--username NAME --password PASSWORD"
    print(
        f"""
Twinplane serves gNMI on {address} ({how}).

  authority    {ca}
               SHA-256 {fingerprint(ca.read_bytes())}
  {who}

In another terminal:

  gnmic -a {address} --tls-ca {ca} {gnmic} -e json_ietf get --path /system

  gnmi_cli -address {address} -ca_crt {ca} {gnmi_cli} -get -proto "{request}"

  {sys.executable} -m twinplane_client --address {address} --ca {ca} {bundled} get /system

Ctrl-C ends the agent; appliances go on running and are found again at the next start.
""",
        file=out,
        flush=True,
    )
