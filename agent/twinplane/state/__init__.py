"""What is: facts from the kernel and the hypervisor, translated into the operational tree.

State is read back, never copied from configuration. Translators and derivations are pure.
"""
