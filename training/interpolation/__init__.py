"""Models between a custom model and its start (the pages say blend): the path measured, and a point on it published.

Start reading at publish.py; path.py makes the models between. What recipes themselves need of
it stands in training/weight_interpolation.py.
"""
