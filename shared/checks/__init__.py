"""Checks that any model can be put to: invariants, intervals."""
