"""From what is configured to an ordered list of steps; pure.

Each kind of object has a planner that says which kernel and hypervisor objects (resources) realise it. A plan
is the ordered difference of two sets of resources, whoever made them: two configurations (a Set), facts and
the configuration (recovery, adoption, drift repair). Knows no kernel, no hypervisor, no clock.
"""
