"""Graphs, message passing and graph layers."""
