"""The parts of the Questions page: those proposed from the documents, those of one's own, and all that there are.

What is kept of them is search.judging's. May import all of ui but its pages; nothing but questions.py imports it.

Start reading at proposing.py.
"""
