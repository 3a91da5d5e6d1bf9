"""What is on record, so that nobody measures until something wins: the protocol, looks, and the sealed part.

May import `query_sets`, `rankings` and `statistics`.

Start reading at protocol.py (said before the first evaluation), then looks.py and sealing.py.
"""
