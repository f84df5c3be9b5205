"""Domains: libvirt's embedded QEMU driver behind typed calls with deadlines, and the cgroups of the guests.

The only room that imports libvirt; no libvirt object leaves it. Knows nothing of models, plans beyond the run
states a domain can have, transactions or the wire.
"""

import os

# libvirt reads this when it is loaded. Its errors reach us as exceptions; by itself it also writes each of
# them, and warnings at every start of a guest, to standard error. Set it to see them: 2:stderr.
os.environ.setdefault("LIBVIRT_LOG_OUTPUTS", "4:file:/dev/null")
