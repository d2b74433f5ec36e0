"""What people look at a network with, as functions."""
