"""The command `twinplane`: the configuration service and gNMI from a shell.

Turns arguments into calls of `twinplane_client` and their results into tables or JSON; must not know gRPC,
protocol buffers, the wire or the agent. Needs the extra `cli`.
"""
