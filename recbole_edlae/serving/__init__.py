"""Recommend with trained models, and export them as numbers and text."""
