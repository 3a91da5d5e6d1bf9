"""The parts of the Train page: what is recommended, synthetic pairs, the form, the learning curve, the custom models.

May import all of ui but its pages; nothing but train.py imports it.

Start reading at form.py (a form drawn from a recipe's settings), then advice.py.
"""
