"""The early-to-mid ratio and the generalisation error of a run."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from backend.api.deps import INVALID, NOT_FOUND, Reading, RunId
from backend.schemas import Quantity
from backend.services import early_to_mid, runs

router = APIRouter(prefix="/runs/{run_id:int}", tags=["statistics"], responses=NOT_FOUND | INVALID)


class RatioOut(BaseModel):
    early: float | None = Field(description="mean cross-path similarity up to the first decay")
    mid: float | None = Field(description="the same between the first and the second decay")
    ratio: float | None
    reason: str | None = Field(description="why there is no ratio")


class LayerRatioOut(RatioOut):
    layer: int


class QuantityRatioOut(RatioOut):
    quantity: Quantity
    complete: bool = Field(description="the second decay has passed: nothing changes any more")
    layers: list[LayerRatioOut]


class EarlyToMidOut(BaseModel):
    decays: list[int] = Field(description="epochs after which the learning rate falls by a step")
    recording: int | None = Field(description="the newest recording, from which the accuracies are")
    train_accuracy: float | None
    test_accuracy: float | None
    generalisation_error: float | None = Field(description="training accuracy minus test accuracy")
    test_error: float | None
    ratios: list[QuantityRatioOut]


@router.get("/early-to-mid")
def get_early_to_mid(run_id: RunId, session: Reading) -> EarlyToMidOut:
    """Cross-path similarity early in training over that in the middle (Fig. 7), beside the generalisation error.

    It follows the run while it trains, and stays.
    """
    run = runs.get_run(session, run_id)
    found = early_to_mid.early_to_mid_of(session, [run_id])[run_id]
    gap = early_to_mid.generalisation(run.last)
    ratios = [
        QuantityRatioOut(
            quantity=quantity,
            complete=one.complete,
            layers=[LayerRatioOut(layer=k, **ratio._asdict()) for k, ratio in one.layers.items()],
            **one.over_layers._asdict(),
        )
        for quantity, one in found.items()
    ]
    return EarlyToMidOut(
        decays=list(run.spec.decays),
        recording=gap.recording,
        train_accuracy=gap.train_accuracy,
        test_accuracy=gap.test_accuracy,
        generalisation_error=gap.error,
        test_error=gap.test_error,
        ratios=ratios,
    )
