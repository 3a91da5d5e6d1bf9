"""Strings only: words of any script, near-duplicates, languages, some of many spread evenly.

Imports nothing of Bespoke. Start reading at words.py: what a word is everywhere else.
"""
