"""Who may come in: users with their roles and passwords, and the certificates of this host.

Knows files and cryptography; must not know gRPC, YANG or what a user wants to do.
"""
