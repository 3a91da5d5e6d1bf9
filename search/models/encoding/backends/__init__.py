"""What computes the transformer: PyTorch, the reference, or OpenVINO, where it is faster and agrees."""
