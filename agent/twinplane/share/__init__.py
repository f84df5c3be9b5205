"""The arithmetic of shares: what fits, what a share means to the kernel, who gets the rest. Pure.

Knows no model, no kernel object and no hypervisor: numbers in, numbers out.
"""
