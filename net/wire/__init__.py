"""Formats: headers in, headers out, no state."""
