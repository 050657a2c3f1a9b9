"""Read and check the settings of a run before its data are read."""
