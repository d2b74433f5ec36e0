"""Drivers over models of their devices, which walk the same registers, rings and memory."""
