"""How large a run may be on this server; its operator decides (PATHSCOPE_MAX_EPOCHS and others)."""

from backend.errors import FieldError, InvalidInput
from backend.estimate import run_size
from backend.schemas import RunSpec
from backend.settings import settings


def check(spec: RunSpec) -> None:
    """Raise InvalidInput naming each field that goes beyond a limit, or that nets and datasets do not allow."""
    asked_and_most = {
        "epochs": (spec.epochs, settings().max_epochs, "epochs"),
        "probe.count": (spec.probe.size, settings().max_probe_images, "probe images"),
        "recordings": (run_size(spec).total_bytes or 0, settings().max_run_bytes, "bytes of recordings"),
    }
    errors = [
        FieldError(
            field, asked, f"this server takes runs of at most {most:,} {what}, and this one would have {asked:,}"
        )
        for field, (asked, most, what) in asked_and_most.items()
        if asked > most
    ]
    if errors:
        raise InvalidInput(errors)
