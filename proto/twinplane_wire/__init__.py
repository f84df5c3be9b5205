"""The wire: protocol buffers, paths and values as gNMI clients and targets exchange them.

Used by the agent and by the SDK; knows nothing of either.
"""
