"""A worker whose consumer dies once it is ready, without a word; started anew by its watchdog, it is a usual one."""

import sys
from pathlib import Path

from celery import signals

from cli.serve import work


def main(mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        signals.worker_ready.connect(_fall_deaf)
    work("deaf@lab")


def _fall_deaf(sender: object, **_: object) -> None:
    sender.task_consumer.cancel()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
