"""Transmission control (RFC 9293): segments and time in, segments and a deadline out."""
