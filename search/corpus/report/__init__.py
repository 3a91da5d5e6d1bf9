"""What a corpus is like, before anything is trained on it: lengths, copies, languages, its own words."""
