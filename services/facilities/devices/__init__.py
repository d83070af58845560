"""设备: what stands in a facility, and whether it lives."""
