"""Tests of net/tcp."""
