"""One driver per noun of the plan: reads, does what differs, reads back. Thin: the rooms below do the calls.

Knows nothing of transactions, of the order of steps or of the wire.
"""
