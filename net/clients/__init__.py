"""What a machine asks its network: addresses, names, the time."""
