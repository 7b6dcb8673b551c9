"""Every figure of the dashboard, once: what it shows, what it asks for, how it is read, drawn and tabulated.

Pages, REST and the command line take figures from `registry.VIEWS` alone. docs/dashboard.md shows how to add one.
"""
