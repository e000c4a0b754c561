"""Adoption of what exists; nothing else depends on it."""
