"""Which pages there are."""

NAMES = (
    "projects", "corpus", "questions", "train", "compare", "evaluate", "map", "words", "judge", "models",
)  # fmt: skip
"""The names of the pages, as addresses have them, in the order of the navigation: home, the way to a verdict, and what is
behind it."""
TITLES = {
    "projects": "Home", "corpus": "Documents", "questions": "Questions", "train": "Train", "compare": "Compare",
    "evaluate": "Proof", "map": "Map", "words": "Words", "judge": "Judge", "models": "Models",
}  # fmt: skip
"""What people call them."""
WAY = ("corpus", "questions", "train", "compare", "evaluate")
"""The pages that lead from documents to a verdict, in their order."""
