"""The states from which a later attempt at a run goes on, and which attempt made each recording."""

import io
import logging
from typing import Any

import torch

from backend import artifacts
from backend.artifacts import CheckpointName
from backend.db import patiently, session_scope
from backend.errors import Damaged
from backend.services import leases, recordings
from backend.services.leases import Lease
from backend.settings import settings

log = logging.getLogger("pathscope.trainer")


class Checkpoints:
    """Those of one run, as one attempt sees them.

    A state is a dictionary of what torch loads with `weights_only`; "t" counts the recordings that it comes after.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self._attempts: dict[int, int] = {}

    def newest(self, device: torch.device) -> dict[str, Any] | None:
        """The newest state that is whole and belongs to a recording as it stands; None where training begins anew.

        One that is damaged is told of in the run's log and events, and the one before is taken: the recordings after it
        are then made once more. Raises LeaseLost.
        """
        made_by = patiently(self._made_by, settings().database_patience_seconds)
        for name in artifacts.list_checkpoints(self.lease.run_id):
            if made_by.get(name.t) != name.attempt:
                continue
            try:
                data = artifacts.read_checkpoint(self.lease.run_id, name)
            except Damaged as error:
                self._warn(f"{error}; the one before is taken, and what follows it is recorded again")
                continue
            self._attempts = {t: attempt for t, attempt in made_by.items() if t <= name.t}
            state: dict[str, Any] = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
            return state
        return None

    def write(self, state: dict[str, Any]) -> None:
        """Raises NoSpace."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        t = state["t"] - 1
        artifacts.write_checkpoint(self.lease.run_id, CheckpointName(t, self.attempt_of(t)), buffer.getvalue())

    def attempt_of(self, t: int) -> int:
        """Which attempt made recording t: one before, or this one."""
        return self._attempts.get(t, self.lease.attempt)

    def _warn(self, message: str) -> None:
        log.warning("%s", message)

        def warn() -> None:
            with session_scope() as session:
                leases.warn(session, self.lease, message)

        patiently(warn, settings().database_patience_seconds)

    def _made_by(self) -> dict[int, int]:
        with session_scope() as session:
            return recordings.attempts(session, self.lease.run_id)
