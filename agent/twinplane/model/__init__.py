"""The typed, frozen view of configuration that planners work with; one file per kind.

Holds no default and no constraint (the schema does) and knows nothing of the kernel or the hypervisor.
"""
