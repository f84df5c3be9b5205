"""The service gnmi.gNMI: one file for each RPC, turning messages into calls of the rooms below and back.

Holds no state of its own; must not know how a transaction works or where operational data comes from.
"""
