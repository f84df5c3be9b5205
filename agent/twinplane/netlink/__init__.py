"""Where the kernel's network configuration is read and written: rtnetlink, persistent taps, network sysctls.

Requests that change something go through `connection.py`, which counts them; what is read comes as plain
rows. Knows devices and queueing disciplines by kernel name and index. Must not know models, plans or whose
an object is, and no row leaves it that still has to be decoded.
"""
