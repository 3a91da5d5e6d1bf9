"""Fine-tuning a SentenceTransformer on pairs, steered by dev queries; what stops goes on as if it had not.

Start reading at recipe.py and loop.py; engines.py reads the texts of a step, packed.py fast; batches.py, losses.py,
schedule.py and weights.py are the loop's parts.
Knows no other recipe; static uses its loop.
"""
