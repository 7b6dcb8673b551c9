"""Real processes are killed, stopped and starved at random moments; then every run must have ended as if nothing was.

`make test-faults` runs all of it, `.ci/run` a shortened form. Postgres and Redis are servers of its own.
"""
