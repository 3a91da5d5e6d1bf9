"""The parts of Evaluate: the sentence, one picture, the evidence, and what was looked at. Start reading at ui/evaluate.py."""
