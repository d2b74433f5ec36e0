"""Stand-ins for what host tests do without."""
