"""Tools for those who carry the project on; not part of the package."""
