"""An appliance: its day-0 seed, its domain and CPU share, its taps and their shaping. Knows no libvirt."""
