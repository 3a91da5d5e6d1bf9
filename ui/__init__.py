"""The pages: they collect input, call one core function and draw what it returns. Streamlit lives here and in app.py.

A page is a file of its name with `page()`; `comparing`, `judging` and `training` hold the parts of three of them. HTML
comes from templates/ alone (rendering.py), long work is a run (run_view.py), what is loaded once is in cache.py. May
import everything below, never terminal.

Start reading at navigation.py (which pages there are), then compare.py (the page people come for).
"""
