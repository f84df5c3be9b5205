"""Commands to try against an agent that has just started, ready to paste."""

import sys
from pathlib import Path
from typing import TextIO

from twinplane.identity.certificates import fingerprint


def print_hints(address: str, state_dir: Path, out: TextIO) -> None:
    """Where the certificates are, and one command each for gnmic, gnmi_cli and the bundled client."""
    tls = state_dir / "tls"
    ca, cert, key = tls / "ca.pem", tls / "admin.pem", tls / "admin.key"
    request = "path: <elem: <name: 'system'>> encoding: JSON_IETF"
    print(
        f"""
Twinplane serves gNMI on {address} (mutual TLS).

  authority    {ca}
               SHA-256 {fingerprint(ca.read_bytes())}
  certificate  {cert}   (user admin)
  key          {key}

In another terminal:

  gnmic -a {address} --tls-ca {ca} --tls-cert {cert} --tls-key {key} -e json_ietf get --path /system

  gnmi_cli -address {address} -ca_crt {ca} -client_crt {cert} -client_key {key} -get -proto "{request}"

  {sys.executable} -m twinplane_client --address {address} --ca {ca} --cert {cert} --key {key} get /system

Ctrl-C ends the agent; appliances go on running and are found again at the next start.
""",
        file=out,
        flush=True,
    )
