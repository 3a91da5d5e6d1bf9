"""Fine-tuning a SentenceTransformer on pairs, steered by dev queries; what stops goes on as if it had not.

Start reading at recipe.py and loop.py; batches.py, losses.py, steering.py and weights.py are its parts.
Knows no other recipe; static uses its loop.
"""
