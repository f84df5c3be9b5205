"""What this host is and can do, found by trying; filled into the frozen value that plans and rules are given.

Leaves nothing behind on the host. Knows no configuration and decides nothing.
"""
