"""The film strip shows who was nearest, and says it in words."""

import numpy as np

from backend.series import Neighbours
from frontend.components.facts import Facts
from frontend.components.film_strip import film_strip

FACTS = Facts(
    run=7,
    quantities=["path"],
    layers=[],
    labels=[0, 1, 0],
    names=["#0 · cat", "#1 · dog", "#2 · cat"],
    dataset_indices=[10, 11, 12],
    epochs=[0.0, 1.0],
)


def strip_of(nearest):
    recordings = np.arange(len(nearest))
    nothing = np.full((len(nearest), 3), np.nan)
    churn = np.array([np.nan] + [0.5] * (len(nearest) - 1))
    return film_strip(Neighbours(recordings, nothing, nothing, np.array(nearest), churn, churn), FACTS, 0)


def props(component):
    return component.to_plotly_json()["props"]


def test_film_strip_when_drawn_has_a_column_per_recording_and_a_button_per_neighbour():
    first, second = strip_of([[2, 1], [1, -1]])
    assert [props(button).get("data-partner") for button in first.children] == [None, "2", "1"]
    assert [props(button).get("data-partner") for button in second.children] == [None, "1"]
    assert [props(button)["data-t"] for button in second.children] == ["1", "1"]


def test_film_strip_when_labels_agree_marks_it_in_class_and_words():
    (column,) = strip_of([[2, 1]])
    _, same, other = (props(button) for button in column.children)
    assert same["className"] == "frame same"
    assert same["aria-label"] == "#2 · cat, rank 0 at recording 0, same label"
    assert other["className"] == "frame"
    assert "same label" not in other["aria-label"]


def test_film_strip_when_neighbours_are_new_says_how_many():
    first, second = (props(column.children[0])["title"] for column in strip_of([[2, 1], [1, 2]]))
    assert first == "recording 0"
    assert second == "recording 1, 50% of the nearest are new"
