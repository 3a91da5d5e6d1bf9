"""Models between a custom model and its start: the way measured, and a place on it published."""
