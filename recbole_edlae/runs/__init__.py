"""One run of a model, its record and its runner, and sweeps over many runs."""
