"""How fast the end-to-end tests' clocks go, and how long they wait."""

from __future__ import annotations

import os

REAL = bool(os.environ.get("ACK_SAGEMAKER_CONTROLLER"))
SPEED = 1.0 if REAL else 2.0
"""How much faster than in the recordings AWS' clock and ACK's polls go; the real ACK can't be hurried."""
FAST = 1.0 if REAL else 6.0
FEED_INTERVAL = 1.0
LIMIT = 150.0 if REAL else 60.0
ENDLESS = 3600.0
"""Seconds of a job that ends only when a test says so: a shorter one may end unseen on a slow machine."""
