"""Stand-ins for what lies outside the process: a host whose kernel and hypervisor live in one file."""
