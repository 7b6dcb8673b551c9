"""What a sweep asks and how it is told of: runs that differ in a few fields. Pure."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Annotated, Any

from pydantic import BaseModel, Field

from backend.schemas import Name, RunStatus, Strict

Change = dict[str, Any]


class SweepSpec(Strict):
    """A run for each combination of the grid's values and the seeds, all else as in `base`."""

    name: Name = ""
    base: dict[str, Any] = Field(description="fields of RunSpec that all runs share")
    grid: dict[Annotated[str, Field(max_length=200)], Annotated[list[Any], Field(min_length=1, max_length=500)]] = (
        Field(default={}, max_length=20)
    )
    """Dotted names of fields, each with the values that it takes, e.g. {"optimiser.lr": [0.01, 0.1]}."""
    seeds: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=500)
    """The same as "seed" in the grid."""

    @property
    def axes(self) -> dict[str, list[Any]]:
        return {**self.grid, **({"seed": list(self.seeds)} if self.seeds is not None else {})}

    @property
    def count(self) -> int:
        count = 1
        for values in self.axes.values():
            count *= len(values)
        return count

    def changes(self) -> Iterator[Change]:
        """What each run has of its own; the last field changes fastest."""
        return (dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values()))


def described(change: Change) -> str:
    """The change in a few words: "lr 0.1 · seed 3"; nothing for a run without one."""
    return " · ".join(f"{field.rsplit('.', 1)[-1]} {value}" for field, value in change.items())


class PlannedRun(BaseModel):
    name: str
    change: Change
    total_bytes: int | None


class SweepPlan(BaseModel):
    """The runs that a sweep would make, and what they would store; None where that is not known before they run."""

    runs: list[PlannedRun]
    total_bytes: int | None


class SweepOut(BaseModel):
    id: int
    name: str
    created_at: datetime
    request: SweepSpec
    runs: list[int] = Field(description="ids of its runs that still exist, in the order of the combinations")
    counts: dict[RunStatus, int] = Field(description="how many of them are in each state")
