"""What can be done, as plain functions of a session: no HTTP here, and no commit."""
