"""The parts of the Judge page: beginning, the blind board, what the votes say, what they are good for.

What a click on the board means is search.judging.events. May import all of ui but its pages; nothing but judge.py
imports it.

Start reading at board.py (the board, and what it remembers), then outcome.py.
"""
