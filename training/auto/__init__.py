"""Several ways to learn, tried one after another within a time budget; the best on dev is kept."""
