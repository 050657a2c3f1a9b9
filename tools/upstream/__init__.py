"""Writes models of this package into a RecBole source tree, as a pull request to RecBole."""
