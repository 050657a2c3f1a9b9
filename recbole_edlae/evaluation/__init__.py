"""Metrics per user, significance tests and lean collection of hits, which RecBole's evaluators lack."""
