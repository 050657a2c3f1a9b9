"""Everything that touches RecBole or another package from outside, and nothing else."""
