"""Which approach: measured facts of a project, time measured on this machine, and a recommendation with reasons."""
