"""Word2Vec and FastText from scratch, on the documents alone: how a corpus is read, the training, and its checkpoints.

Start reading at recipe.py, then training.py. Knows no other recipe.
"""
