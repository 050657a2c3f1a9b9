"""RecBole model classes, one per file."""
