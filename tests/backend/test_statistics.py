"""Statistics as arrays: who is near whom, and what is left out because it is undefined."""

import numpy as np
import pytest

from backend import codec
from backend.db import read_scope
from backend.errors import NotFound
from backend.schemas import Measure, Quantity
from backend.services import statistics
from tests.made_runs import make_run


def test_ranks_when_values_tie_put_the_smaller_index_first():
    assert statistics.ranks_of(np.array([np.nan, 3.0, 7.0, 7.0, 1.0])).tolist() == [-1, 2, 0, 1, 3]


def test_nearest_when_fewer_have_a_rank_is_filled_with_minus_one():
    assert statistics.nearest_of(np.array([-1, 1, 0]), 3).tolist() == [2, 1, -1]


def test_pairs_of_image_when_read_are_that_images_row_of_every_matrix(database):
    made = make_run()
    with read_scope() as session:
        rows = statistics.pairs_of_image(session, made.id, Measure.CROSS_PATH, Quantity.PATH, 1, 3)
    expected = [codec.from_pairs(made.arrays[Measure.CROSS_PATH, 1, t])[3] for t in range(1, made.recordings)]
    assert rows.recordings.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(rows.values, np.array(expected))


def test_self_similarity_of_image_when_read_has_a_row_per_layer(home):
    made = make_run()
    with read_scope() as session:
        rows = statistics.self_similarity_of_image(session, made.id, Quantity.PATH, 5)
    expected = [[made.arrays[Measure.SELF_SIMILARITY, k, t][5] for t in (1, 2, 3)] for k in (1, 2)]
    np.testing.assert_array_equal(rows.values, np.array(expected))


def test_distribution_when_a_pair_is_undefined_counts_it_and_leaves_it_out(home):
    made = make_run()
    with read_scope() as session:
        found = statistics.distribution(session, made.id, Measure.CROSS_PATH, Quantity.PATH, 1)
    assert found.undefined.tolist() == [1, 0, 0]
    assert found.histogram.sum(axis=1).tolist() == found.defined.tolist() == [27, 28, 28]
    assert found.mean[0] == pytest.approx(np.nanmean(made.arrays[Measure.CROSS_PATH, 1, 1]), abs=1e-6)


def test_neighbours_when_read_agree_with_counting_shared_units(home):
    made = make_run()
    with read_scope() as session:
        found = statistics.neighbours_of_image(session, made.id, Quantity.PATH, 2, 0, count=3)
    for t in range(made.recordings):
        shared = {j: int((made.paths[2, t][0] & made.paths[2, t][j]).sum()) for j in range(1, made.images)}
        assert found.nearest[t].tolist() == sorted(shared, key=lambda j: (-shared[j], j))[:3]
    new = [len(set(found.nearest[t]) - set(found.nearest[t - 1])) / 3 for t in range(1, made.recordings)]
    assert found.churn[1:].tolist() == pytest.approx(new)


def test_statistics_when_layer_image_or_quantity_is_unknown_name_what_exists(home):
    made = make_run()
    with read_scope() as session:
        with pytest.raises(NotFound, match="layers 1 to 2, not layer 3"):
            statistics.distribution(session, made.id, Measure.CROSS_PATH, Quantity.PATH, 3)
        with pytest.raises(NotFound, match="probe images 0 to 7, not image 8"):
            statistics.neighbours_of_image(session, made.id, Quantity.PATH, 1, 8)
        with pytest.raises(NotFound, match="records path, not activation"):
            statistics.self_similarity_of_images(session, made.id, Quantity.ACTIVATION, 1)


def test_label_agreement_when_neighbours_are_missing_counts_those_there_are():
    nearest = np.array([[1, 2], [0, -1], [-1, -1]])
    found = statistics.label_agreement(nearest, np.array([7, 7, 5]), np.arange(3))
    np.testing.assert_array_equal(found, [0.5, 1.0, np.nan])
