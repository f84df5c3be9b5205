"""What one client can do to all others: `python -m tests.abuse [ATTACK…]` (make abuse)."""
