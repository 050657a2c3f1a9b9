"""Tools for those who develop the project; not part of the package."""
