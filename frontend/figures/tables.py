"""The numbers behind figures as columns, for data tables and files. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from backend.series import Answers, Distribution, ImageRows, LayerDistributions, LayerRows, Neighbours
from backend.summary import QUANTILES
from frontend.figures.answers import class_name
from frontend.figures.early import Stages
from frontend.figures.training import TrainingCurves

Columns = dict[str, Sequence[Any] | ndarray]


def over_training(
    recordings: Int[ndarray, " recordings"], epochs: Sequence[float], columns: Mapping[str, Sequence[Any] | ndarray]
) -> Columns:
    """A row per recording."""
    return {"recording": recordings, "epoch": [epochs[t] for t in recordings.tolist()], **columns}


def distribution_table(data: Distribution, epochs: Sequence[float]) -> Columns:
    """A row per recording: mean, deviation, quantiles, and how many values are defined and undefined."""
    levels = {f"quantile_{level:g}": data.quantiles[:, n] for n, level in enumerate(QUANTILES)}
    counts = {"defined": data.defined, "undefined": data.undefined}
    return over_training(data.recordings, epochs, {"mean": data.mean, "std": data.std, **levels, **counts})


def layer_rows_table(rows: LayerRows, names: Sequence[str], epochs: Sequence[float], value: str) -> Columns:
    """A row per layer and recording."""
    layers, times = np.indices(rows.values.shape).reshape(2, -1)
    found = over_training(rows.recordings[times], epochs, {value: rows.values.ravel()})
    return {"layer": rows.layers[layers], "name": [names[n] for n in layers.tolist()], **found}


def image_rows_table(rows: ImageRows, names: Sequence[str], epochs: Sequence[float], value: str) -> Columns:
    """A row per recording and image."""
    times, images = np.indices(rows.values.shape).reshape(2, -1)
    found = over_training(rows.recordings[times], epochs, {"image": images})
    return {**found, "name": [names[i] for i in images.tolist()], value: rows.values.ravel()}


def neighbours_table(data: Neighbours, names: Sequence[str], epochs: Sequence[float]) -> Columns:
    """A row per recording and image, with its rank (-1: none) and closeness."""
    table = image_rows_table(ImageRows(data.recordings, data.closeness), names, epochs, "closeness")
    return {**table, "rank": data.ranks.ravel()}


def map_table(
    recordings: Int[ndarray, " recordings"], arrays: Mapping[str, Float[ndarray, "recordings recordings"]]
) -> Columns:
    """A row per pair (s, t) of recordings with s ≤ t."""
    rows, columns = np.triu_indices(len(recordings))
    values = {name: array[rows, columns] for name, array in arrays.items()}
    return {"s": recordings[rows], "t": recordings[columns], **values}


def training_table(curves: TrainingCurves) -> Columns:
    """A row per recording."""
    columns = curves._asdict()
    del columns["decays"]
    return {"recording": columns.pop("recordings"), "epoch": columns.pop("epochs"), **columns}


def layers_table(data: LayerDistributions, names: Sequence[str], epochs: Sequence[float]) -> Columns:
    """A row per layer and recording, with the columns of `distribution_table`."""
    tables = [distribution_table(one, epochs) for one in data.distributions]
    rows = [len(one.recordings) for one in data.distributions]
    columns = (
        {name: np.concatenate([np.asarray(table[name]) for table in tables]) for name in tables[0]} if tables else {}
    )
    labels = [names[k - 1] for k in data.layers.tolist()]
    return {"layer": np.repeat(data.layers, rows), "name": np.repeat(np.array(labels, dtype=object), rows), **columns}


def pairs_table(labels: Sequence[int], columns: Mapping[str, ndarray]) -> Columns:
    """A row per pair, in the order of `codec.to_pairs`."""
    i, j = np.triu_indices(len(labels), k=1)
    return {"image": i, "other": j, "same_label": np.asarray(labels)[i] == np.asarray(labels)[j], **columns}


def early_table(data: Stages, names: Sequence[str]) -> Columns:
    """A row per layer, and one over all of them (layer 0)."""
    parts = {0: data.ratios.over_layers, **data.ratios.layers}
    columns = {name: [getattr(part, name) for part in parts.values()] for name in ("early", "mid", "ratio", "reason")}
    return {"layer": list(parts), "name": ["all" if k == 0 else names[k - 1] for k in parts], **columns}


def answers_table(data: Answers, classes: Mapping[int, str], epochs: Sequence[float]) -> Columns:
    """A row per recording of one image."""
    predicted = data.predicted[:, 0]
    columns: Columns = {
        "predicted": predicted,
        "class": [class_name(one, classes) for one in predicted.tolist()],
        "right": data.right[:, 0],
        "loss": data.loss[:, 0],
    }
    return over_training(data.recordings, epochs, columns)
