"""Is a served model the one that was measured? A server is asked, and where its vectors differ, it is said why.

`probes` are the texts, `asking` gets the server's vectors, `variants` computes what a model would give if it were served in
some wrong way, `diagnosis` finds the way that explains what came, `faults` says it in words and what to do, `quality`
measures what it costs. May import evaluation and everything below.

Start reading at verify.py.
"""
