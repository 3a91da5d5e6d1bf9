"""The parts of the Compare page: the question, the columns, the board of results, what can be done with a hit.

May import all of ui but its pages; nothing but compare.py imports it.

Start reading at sides.py (what is known of each column), then grid.py (how the board is drawn).
"""
