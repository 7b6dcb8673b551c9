"""What the command line says, and how it ends. Every foreseen failure is one CliError: a line and an exit code."""

import sys
from urllib.parse import urlsplit, urlunsplit

from rich.console import Console

FAILED = 1
INVALID = 2
RUN_NOT_COMPLETED = 3

# Where nobody looks at a window, a table takes the width that it needs.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)


class CliError(Exception):
    """Ends the command with this message on stderr and this exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Print a line as it is: no markup, no wrapping."""
    out.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a line on stderr as it is."""
    err.print(text, markup=False, soft_wrap=True)


def without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))
