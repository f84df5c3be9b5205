"""A host port under management: its admin state and MTU. Knows no netlink."""
