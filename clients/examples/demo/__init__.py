"""The product by itself: one firewall appliance, created, changed, survived and deleted over gNMI alone."""
