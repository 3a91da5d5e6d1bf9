"""What computes the transformer: PyTorch, the reference, or OpenVINO, where it is faster and agrees.

`probe` measures speed and agreement on the person's passages.
May import what batches texts; heavy libraries are imported when they are used.

Start reading at choice.py, then pipeline.py (prompts, tokens, transformer, modules behind it).
"""
