"""Which approach: measured facts of a project, time measured on this machine, and a recommendation with reasons.

Start reading at advise.py; facts.py looks, recommending.py decides, approaches.py sets models and recipes side by side.
"""
