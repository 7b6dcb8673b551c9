"""What a view is: one entry of the registry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from numpy import ndarray
from pydantic import BaseModel, ConfigDict, Field

from backend.schemas import Quantity, Recorded
from frontend.components.facts import ALL_PATHS, Facts
from frontend.figures.chart import Chart
from frontend.figures.look import Look

Order = Literal["label", "index", "cluster", "value"]
Table = Mapping[str, Sequence[Any] | ndarray]
"""Columns of one length, in order."""


class Chosen(BaseModel):
    """The parameters that views can have; what is left out, a view chooses itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: int | None = Field(default=None, ge=1, lt=2**31, description="k, from 1; left out: the middle one")
    quantity: Quantity | None = Field(default=None, description="left out: paths, if the run records them")
    image: int | None = Field(default=None, ge=0, lt=2**31, description="i, from 0")
    partner: int | None = Field(default=None, ge=0, lt=2**31, description="j, from 0")
    recording: int | None = Field(default=None, ge=0, lt=2**31, description="t, from 0; left out: the newest")
    measure: str | None = Field(default=None, max_length=50, description="which of the measures that the figure offers")
    order: Order | None = Field(default=None, description="how rows are ordered; left out: by label")


PARAMETERS = tuple(Chosen.model_fields)


def lacking(needs: str) -> str:
    """What is said where a run does not have what a view needs."""
    if needs == ALL_PATHS:
        return "keep the paths of every recording: submit one with “Paths” as quantity, and “All” of them kept"
    words = {"path": "paths", "projection": "projections", "image_function": "image functions"}.get(needs, needs)
    return f"record {words}: submit one with “{words.capitalize()}” ({needs}) among its quantities"


class Scene(NamedTuple):
    """What a view is asked for: the run, what is chosen of it, and how the figure is to look.

    Every parameter of the view has its value in `chosen`; `partner` alone may be None.
    """

    facts: Facts
    chosen: Chosen
    look: Look

    @property
    def run(self) -> int:
        return self.facts["run"]

    @property
    def epochs(self) -> list[float]:
        return self.facts["epochs"]

    @property
    def names(self) -> list[str]:
        return self.facts["names"]

    @property
    def layer(self) -> int:
        return self.chosen.layer or 1

    @property
    def quantity(self) -> Quantity:
        return self.look.quantity

    @property
    def image(self) -> int:
        return self.chosen.image or 0

    @property
    def t(self) -> int:
        return self.chosen.recording or 0

    @property
    def revision(self) -> str:
        """What the figure shows; its zoom is kept as long as this stays, so it names no recording."""
        shown = self.chosen.model_dump(mode="json", exclude={"recording"}, exclude_none=True)
        return " ".join(str(value) for value in shown.values()) or "all"


@dataclass(frozen=True)
class View:
    """One figure.

    `shows` is a sentence on what one sees, `definition` the formula and how to read it, `section` where the paper has
    it. `read(session, scene)` asks one service, `draw(data, scene)` makes the figure of what it answers, and
    `table(data, scene)` the numbers behind it. `needs` is what a run must have recorded, apart from what is compared,
    or ALL_PATHS: that it keeps the paths of every recording.
    """

    name: str
    title: str
    shows: str
    definition: str
    section: str
    read: Callable[[Any, Scene], Any]
    draw: Callable[[Any, Scene], Chart]
    table: Callable[[Any, Scene], Table]
    parameters: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    orders: tuple[Order, ...] = get_args(Order)
    needs: Recorded | Literal["all_paths"] | None = None
    height: int = 320
