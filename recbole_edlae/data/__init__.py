"""Read, check, split and sample data: what RecBole's datasets and data loaders lack."""
