"""Leaderboards: their plan, their results with significance, and their report."""
