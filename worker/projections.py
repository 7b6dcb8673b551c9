"""The projections of a recording along the paths of it and of those before it."""

from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float, Int64
from torch import Tensor, nn

from backend.services.recordings import ProjectionMeasure
from worker.kernels.projection import Packed, outcome, project
from worker.path_history import PathHistory


class Projections(NamedTuple):
    """Takes every `every`-th recording, 0 the first of them, both for the weights and for the paths."""

    history: PathHistory
    every: int

    def due(self, t: int) -> bool:
        return t % self.every == 0

    def at(
        self,
        t: int,
        net: nn.Module,
        images: Float[Tensor, "images ..."],
        labels: Int64[Tensor, " images"],
        now: Sequence[Packed],
        bf16: bool = False,
    ) -> list[ProjectionMeasure]:
        """Loss of and verdict on each image along its path of each taken recording s ≤ t; `now` are the paths of t.

        The net is as it stands at t. Costs a forward pass for each s; the history must hold all before t.
        """
        found = []
        for s in range(0, t + 1, self.every):
            paths = now if s == t else [self.history.at(s, k).packed for k in range(1, len(now) + 1)]
            logits = project(net, images, [one.to(images.device) for one in paths], bf16=bf16)
            loss, right = (one.cpu().numpy() for one in outcome(logits, labels.to(images.device)))
            found.append(ProjectionMeasure(s, loss, right))
        return found
