"""Tests of ovum.services.tasks: deterministic, without waiting."""
