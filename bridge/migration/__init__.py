"""Carries out what `translators.migration` decides: reads a cluster, moves its objects, and back again."""
