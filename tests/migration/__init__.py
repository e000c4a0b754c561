"""The migration: what it decides, on recorded fleets, and what it does, on a real API server."""
