"""Displays: frame buffers, mode setting, text on a screen."""
