"""The rooms of Train: what is recommended, pairs that can be mined, the form, the curve, what was made."""
