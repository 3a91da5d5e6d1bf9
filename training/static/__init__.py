"""A static model: one vector a word piece, packaged, distilled, or learned from the corpus, and taught by pairs.

Start reading at recipe.py; base.py is what every start makes. Of the other recipes it uses the loop of fine_tune alone.
"""
