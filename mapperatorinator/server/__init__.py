"""The web app on this computer: jobs in SQLite, workers in processes of their own, a page without a build step.

`launch.serve()` runs it. Only loopback is listened on; the browser never sends a path.
"""
