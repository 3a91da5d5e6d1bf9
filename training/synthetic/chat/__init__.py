"""Questions about passages, written by a chat server: any that speaks OpenAI's API.

`prompt` says what is asked, `parsing` reads whatever comes, `answers` holds it on disk before it is used, `filters` leaves
out what nobody would ask. May import the rest of training/synthetic but make.py, which uses this.

Start reading at written.py.
"""
