"""Models in eight bits: a second class of vectors, faster on processors with VNNI or AMX, never mixed with full precision.

`graph` turns a converted transformer into eight bits on the person's own passages; `encoder` computes with what was made.
May import `backends`; knows no queries and no judgments: whether a quantized model is accepted is decided above.

Start reading at graph.py.
"""
