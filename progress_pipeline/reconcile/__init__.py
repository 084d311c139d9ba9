"""Repair planning: from named gaps to the fewest calls that close them. Pure functions, no I/O."""
