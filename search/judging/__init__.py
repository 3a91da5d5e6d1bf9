"""What people said of two columns, blind: votes and grades, in which order to ask, and what they amount to.

May import evaluation and all below it; never insight or training.

Start reading at votes.py (what can be said), store.py (where it is stored), then study.py (all that is known of it).
"""
