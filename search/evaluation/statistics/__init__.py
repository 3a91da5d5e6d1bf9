"""Is a difference more than chance? Groups of queries, randomization test, bootstrap, family of candidates, power.

May import `query_sets` and `rankings`.

Start reading at significance.py (what decides "better"), then groups.py (the unit) and flips.py (the test).
"""
