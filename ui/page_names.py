"""Which pages there are."""

NAMES = (
    "projects", "corpus", "questions", "train", "compare", "judge", "evaluate", "map", "words", "models",
)  # fmt: skip
"""The names of the pages, as addresses have them, in the order of the navigation."""
