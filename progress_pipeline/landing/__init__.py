"""Landed webhook files: writing them for good and reading them once. Knows files alone."""
