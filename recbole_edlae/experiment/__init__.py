"""Many models, one protocol."""
