"""The commands, by what they work on: arguments to calls of the SDK, results to what is shown.

Each file adds its own to the app; none knows another.
"""
