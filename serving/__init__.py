"""The third face: a project's models and searches over HTTP, for programs. FastAPI lives here and nowhere else.

`gate` stands before all that is answered (who may ask, how much), `application` has the routes, `requests` their shapes and
`refusals` what is said where one is not answered. `batcher` lets one thread encode what came at the same time, `models` are
those of the project, loaded when they are asked for, `current` is what answers now and what takes its part when something
newer is there. May import everything below, never ui or terminal.

Start reading at application.py (what can be asked), then current.py.
"""
