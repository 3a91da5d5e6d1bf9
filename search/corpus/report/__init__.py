"""What a corpus is like, before anything is trained on it: lengths, duplicates, languages, its own words.

Each module finds one thing in a sample of documents; corpus_report.py holds them all and says what follows.
May import corpus and text. Start reading at corpus_report.py.
"""
