"""Makes custom models: a recipe learns from a project's pairs, or from its documents alone, and the result is published.

One folder a recipe (adapter, fine_tune, static, word_vectors, auto), each beginning with settings.py and recipe.py; recipes
do not know each other, but that static uses the loop of fine_tune, and auto tries them all. data and synthetic make the
pairs, interpolation and advice look at what was made or could be. May import search and indexes, no page and no command.

Start reading at train.py and recipes.py; then training_data.py (what is learned from), dev_set.py (what is steered by),
result.py (what is asked and learned) and checkpoints.py.
"""
