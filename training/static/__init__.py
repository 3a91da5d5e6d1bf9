"""A static model: one vector a word piece, packaged, distilled, or learned from the corpus, and taught by pairs.

Start reading at recipe.py; starts.py is what there is before pairs teach it. Of the other recipes it uses the loop of fine_tune alone.
"""
