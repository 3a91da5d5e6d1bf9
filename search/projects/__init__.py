"""What a project is on disk: immutable artifacts with manifests, runs of commands, errors, settings, progress.

May import search.text only. No text, model or index is known here: an artifact is a folder with a manifest.

Start reading at project.py (Project: publish, newest, newest_where), then runs.py (long work in a process of its own).
locks.py says who works on a project and who still owns what it began. errors.py holds every error that is raised on purpose; settings.py alone reads the environment.
"""
