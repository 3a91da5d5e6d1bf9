"""Readers in a process of their own, with limits: whatever a file makes a parser do, it harms only that file.

`door` has the readers under the names that they have in `readers`, with the same results: all that people bring comes
in through it. `process` starts, watches and ends the child, `worker` is what runs in it, `messages` is what the two say
to each other (JSON lines, never pickle), and `limits` says how much a file may take.

Imports `readers` and `search.projects` (errors, settings); knows no project and no model. Start reading at `door`.
"""
