"""A virtual switch: a bridge, and the host ports plugged into it. Knows no netlink."""
