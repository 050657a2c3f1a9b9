"""Execute and record runs of models, and search the settings of a model over many runs."""
