import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend import codec


@given(hnp.arrays(bool, st.tuples(st.integers(0, 5), st.integers(0, 40))))
def test_paths_survive_packing(paths):
    packed = codec.pack_paths(paths)
    assert packed.shape == (len(paths), -(-paths.shape[1] // 8))
    np.testing.assert_array_equal(codec.unpack_paths(packed, paths.shape[1]), paths)


def test_unit_zero_is_the_lowest_bit():
    assert codec.pack_paths(np.array([[True, False, False, True] + [False] * 4 + [True]])).tolist() == [[9, 1]]


@given(
    hnp.arrays(
        st.sampled_from([np.dtype("u1"), np.dtype("i4"), np.dtype("f4")]), hnp.array_shapes(min_dims=1, max_dims=2)
    )
)
def test_arrays_survive_encoding(array):
    decoded = codec.decode(codec.encode(array))
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


@pytest.mark.parametrize("data", [b"", b"\x07abc"])
def test_unknown_format_is_refused(data):
    with pytest.raises(ValueError, match="this version reads 1"):
        codec.decode(data)


@pytest.mark.parametrize("images", [2, 3, 7])
def test_pairs_are_the_upper_triangle_row_by_row(images):
    matrix = np.add.outer(np.arange(images) * 10.0, np.arange(images) * 10.0)
    pairs = codec.to_pairs(matrix)
    assert pairs.tolist() == [matrix[i, j] for i in range(images) for j in range(i + 1, images)]
    back = codec.from_pairs(pairs)
    assert np.isnan(np.diagonal(back)).all()
    np.testing.assert_array_equal(np.where(np.eye(images), 0, back), np.where(np.eye(images), 0, matrix))
    for i in range(images):
        np.testing.assert_array_equal(pairs[codec.pair_positions(i, images)], np.delete(matrix[i], i))


def test_diagonal_of_counts_is_minus_one():
    assert codec.from_pairs(np.array([4, 5, 6], dtype=np.int32)).tolist() == [[-1, 4, 5], [4, -1, 6], [5, 6, -1]]
