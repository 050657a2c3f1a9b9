"""What RecBole's datasets and data loaders lack."""
