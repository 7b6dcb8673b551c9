"""The paper's figures as presets: what each needs, what the paper reports of it, and which views show it.

Every figure stands here at the paper's size and at a small one, on digits, that two cores finish in minutes. Runs carry
the tag TAG and are recognised by their spec, so that figures that need the same run share it.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from backend.catalogue import DatasetOut
from backend.db import read_scope, session_scope
from backend.estimate import bytes_stated, run_size
from backend.schemas import RunOut, RunSpec, RunStatus
from backend.services import durations, run_list, runs
from frontend.components.run_status import duration_text
from frontend.presets import cifar10

TAG = "paper"
Size = Literal["small", "paper"]
_MOST = 500
_NO_PART = {"name", "tags", "notes", "device", "priority", "paths"}
"""Fields of a spec that do not change what the figure shows."""


class Shown(NamedTuple):
    """One chart: a view of the registry and what is chosen of it."""

    view: str
    chosen: dict[str, Any]


class PaperFigure(NamedTuple):
    """`views` are drawn of the first run; without any it is Fig. 7, which is drawn of all runs."""

    key: str
    title: str
    reports: str
    views: tuple[Shown, ...]
    nets: tuple[str, ...]
    data: Literal["cifar10", "imagenet"] = "cifar10"
    seeds: tuple[int, ...] = (0,)


class Need(NamedTuple):
    """A run that a figure needs, and the one that there is; None where it has not been submitted."""

    spec: RunSpec
    run: RunOut | None


def _both(view: str, layers: Sequence[int], quantities: Sequence[str] = ("path",), **more: Any) -> tuple[Shown, ...]:
    return tuple(
        Shown(view, {"layer": layer, "quantity": quantity, **more}) for layer in layers for quantity in quantities
    )


def _nearest(layers: Sequence[int], quantity: str) -> tuple[Shown, ...]:
    return tuple(
        Shown("neighbour-closeness", {"layer": layer, "quantity": quantity, "image": image})
        for layer in layers
        for image in (5, 10, 15)
    )


FIGURES = (
    PaperFigure(
        "1",
        "Fig. 1: cross-path similarity, AlexNet on CIFAR-10",
        "For most of training neither the similarity of paths (left) nor that of activations (right) is perfect, in "
        "layer 4 (top) as in layer 1: two images meet on other units than an epoch before. It rises late.",
        _both("cross-path", (4, 1), ("path", "activation")),
        ("alexnet",),
    ),
    PaperFigure(
        "2",
        "Fig. 2: cross-path similarity, ResNet-18 on CIFAR-10",
        "In layers 6 (top) and 2 similarities lie above those of AlexNet, but are not perfect until late in training.",
        _both("cross-path", (6, 2)),
        ("resnet18",),
    ),
    PaperFigure(
        "3",
        "Fig. 3: cross-path similarity, ResNet-18 on ImageNet",
        "The distribution is not perfectly correlated, and becomes more so later in training. The paper names no "
        "layer; the two of Fig. 2 stand here.",
        _both("cross-path", (6, 2)),
        ("resnet18",),
        data="imagenet",
    ),
    PaperFigure(
        "4",
        "Fig. 4: path overlap against distance, AlexNet on CIFAR-10",
        "In layers 6 (left) and 2 there is no clean linear relation between the distance of two images in data space "
        "and the overlap of their paths.",
        _both("overlap-distance", (6, 2)),
        ("alexnet",),
    ),
    PaperFigure(
        "D",
        "App. D: path overlap against distance, ResNet-18 on CIFAR-10",
        "As in Fig. 4: no clean linear relation. The layers that stand here are those of Fig. 2.",
        _both("overlap-distance", (6, 2)),
        ("resnet18",),
    ),
    PaperFigure(
        "5",
        "Fig. 5: self-similarity, AlexNet on CIFAR-10",
        "Most of all early in training, an image takes another path than an epoch before, in layer 4 (top) as in "
        "layer 1.",
        _both("self-similarity", (4, 1)),
        ("alexnet",),
    ),
    PaperFigure(
        "6",
        "Fig. 6: the six nearest of 128 images, AlexNet on CIFAR-10",
        "The nearest neighbours of images 5, 10 and 15 by path overlap in layer 2 are others at other times of "
        "training.",
        _nearest((2,), "path"),
        ("alexnet",),
    ),
    PaperFigure(
        "E",
        "App. E: the six nearest by activations, AlexNet on CIFAR-10",
        "The same by normalised activation similarity, in layers 4 and 2: analogous results.",
        _nearest((4, 2), "activation"),
        ("alexnet",),
    ),
    PaperFigure(
        "7",
        "Fig. 7: early-to-mid ratio against generalisation error",
        "Over various models the relation is roughly linear. The paper does not say which models, or how many.",
        (),
        ("alexnet", "resnet18", "vgg19"),
        seeds=(0, 1, 2),
    ),
    PaperFigure(
        "16",
        "Fig. 16: cross-path similarity, VGG-19 on CIFAR-10",
        "Similar findings as for ResNet-18. The paper names no layer; layers 12 and 4 stand here.",
        _both("cross-path", (12, 4)),
        ("vgg19",),
    ),
)


def figure_of(key: str | None) -> PaperFigure:
    """The figure of this name, the first for any other."""
    return next((figure for figure in FIGURES if figure.key == key), FIGURES[0])


def specs_of(figure: PaperFigure, size: Size, datasets: Sequence[DatasetOut]) -> tuple[RunSpec, ...] | None:
    """The runs that the figure needs; None where no dataset that fits is offered."""
    if size == "small":
        return tuple(_small(net, seed) for net in _small_nets(figure) for seed in figure.seeds)
    names = [dataset.name for dataset in datasets]
    offered = cifar10(datasets) if figure.data == "cifar10" else "imagenet" if "imagenet" in names else None
    if offered is None:
        return None
    return tuple(_large(net, seed, offered) for net in figure.nets for seed in figure.seeds)


def needs_of(specs: Sequence[RunSpec]) -> list[Need]:
    """Beside each spec the run with the tag that has it: a completed one before one that goes on; no failed one."""
    with read_scope() as session:
        known = run_list.list_runs(session, filter=f"tag={TAG}", limit=_MOST).runs
    alive = [run for run in known if run.status not in (RunStatus.FAILED, RunStatus.CANCELLED)]
    alive.sort(key=lambda run: run.status is not RunStatus.COMPLETED)
    found = [(_essence(run.spec), run) for run in alive]
    return [Need(spec, next((run for one, run in found if one == _essence(spec)), None)) for spec in specs]


def submit_missing(figure: PaperFigure, size: Size, datasets: Sequence[DatasetOut]) -> int:
    """Queue the runs that the figure needs and that there are not; how many. Raises InvalidInput."""
    missing = [need.spec for need in needs_of(specs_of(figure, size, datasets) or ()) if need.run is None]
    with session_scope() as session:
        for spec in missing:
            runs.submit(session, spec)
    return len(missing)


def cost_stated(specs: Sequence[RunSpec]) -> str:
    """What these runs will store, and how long they may take where runs like them have completed; "" for none."""
    if not specs:
        return ""
    return f"{_size_stated(specs)} {_time_stated(specs)}"


def _size_stated(specs: Sequence[RunSpec]) -> str:
    sizes = [run_size(spec) for spec in specs]
    who = "The missing run stores" if len(specs) == 1 else f"The {len(specs)} missing runs store"
    made = f"{sum(size.recordings for size in sizes):,} recordings"
    if any(size.total_bytes is None for size in sizes):
        return f"{who} {made}; how large they are is known only once they are made."
    recorded = sum(size.total_bytes or 0 for size in sizes)
    kept = sum(size.checkpoint_bytes or 0 for size in sizes)
    return f"{who} about {bytes_stated(recorded)} in {made}, and {bytes_stated(kept)} of checkpoints."


def _time_stated(specs: Sequence[RunSpec]) -> str:
    with read_scope() as session:
        found = [durations.expected(session, spec) for spec in specs]
    known, whom = [one for one in found if one is not None], "it" if len(specs) == 1 else "them"
    if not known:
        return f"How long that takes is not known: no run like {whom} has completed here."
    seconds = duration_text(sum(one.seconds for one in known))
    rest = f"; of {len(found) - len(known)} it is not known" if len(known) < len(found) else ""
    together = "" if len(known) == 1 else ", one after the other"
    return f"By the pace of completed runs like {whom}, training takes about {seconds}{together}{rest}."


def _essence(spec: RunSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude=_NO_PART)


def _small_nets(figure: PaperFigure) -> tuple[str, ...]:
    """VGG-19 and ResNet-18 stay where they are the point; Fig. 7 has the quick ones."""
    return figure.nets if figure.views else ("mlp", "alexnet")


def _small(net: str, seed: int) -> RunSpec:
    quick = net in ("mlp", "alexnet")
    return RunSpec.model_validate(
        {
            "net": net,
            "dataset": "digits",
            "name": f"Paper, small: {net}, seed {seed}",
            "tags": [TAG, "small"],
            "epochs": 8 if quick else 4,
            "lr_schedule": {"kind": "milestones", "milestones": [4, 6] if quick else [2, 3]},
            "seed": seed,
            "probe": {"count": 129 if quick else 32},
        }
    )


def _large(net: str, seed: int, dataset: str) -> RunSpec:
    return RunSpec.model_validate(
        {
            "net": net,
            "dataset": dataset,
            "name": f"Paper: {net} on {dataset}, seed {seed}",
            "tags": [TAG],
            "epochs": 100,
            "batch_size": 128,
            "optimiser": {"lr": 0.05},
            "lr_schedule": {"kind": "milestones", "milestones": [50, 75]},
            "augmentation": "flip_crop",
            "seed": seed,
            "probe": {"count": 129},
        }
    )
