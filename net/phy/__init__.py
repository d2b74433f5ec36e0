"""What has the shape of a network card: loopback, recorder, what tests put between two stacks."""
