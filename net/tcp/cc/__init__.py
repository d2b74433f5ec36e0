"""Congestion control: cubic and reno."""
