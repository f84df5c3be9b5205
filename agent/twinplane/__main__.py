"""The command `twinplane-agent`."""

import os

# libvirt forks; gRPC's fork handlers would then abort a process that serves (read when grpc is imported).
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

from twinplane.cli import main

if __name__ == "__main__":
    main()
