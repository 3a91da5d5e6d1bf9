"""The fast class: a model in eight bits, made on the person's passages, accepted by measurement; adapters taken across.

`making` makes one and publishes it when it is close enough to full precision; `crossing` makes an adapter's twin on the
model of the other class, by which a verdict is measured again in full. May import whatever trains; `search` computes.

Start reading at making.py.
"""
