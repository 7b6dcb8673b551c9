"""Every fast way to count or multiply, against the slow loop: identical integers, cosines within the stated error."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.codec import pack_paths
from worker import popcount
from worker.kernels import gram, packing
from worker.kernels.cross_path import cross_path, shared_squares
from worker.kernels.overlap import _set_bits, overlap, row_counts, self_overlap
from worker.kernels.self_similarity import self_similarity


def random_paths(images, units, density, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, images, units, generator=generator) < density


paths = st.builds(
    random_paths,
    images=st.integers(1, 40),
    units=st.integers(1, 300),
    density=st.sampled_from([0.0, 0.01, 0.4, 0.99, 1.0]) | st.floats(0, 1),
    seed=st.integers(0, 10_000),
)


def slow_overlap(layer):
    return [[int((one & other).sum()) for other in layer] for one in layer]


@settings(max_examples=60, deadline=None)
@given(paths)
def test_each_way_to_count_gives_the_integers_of_the_slow_loop(pair):
    now, before = pair
    expected = slow_overlap(now)
    packed = packing.pack(now)
    assert overlap(now).tolist() == overlap(packed).tolist() == expected
    for threads in (1, 2, 3):
        assert popcount.gram(packing.words(packed), threads).tolist() == expected
    for tile_units in (64, 128, 65536):
        assert gram.unpacked_gram(packed, tile_units).tolist() == expected
    both = (now & before).sum(1).tolist()
    assert self_overlap(packed, packing.pack(before)).tolist() == self_overlap(now, before).tolist() == both
    assert row_counts(packed).tolist() == now.sum(1).tolist()
    assert _set_bits(packed).sum(1).tolist() == now.sum(1).tolist()


@settings(max_examples=40, deadline=None)
@given(paths)
def test_packed_paths_give_the_similarities_of_unpacked_ones_to_the_bit(pair):
    now, before = pair
    packed = [packing.pack(one) for one in pair]
    squares = [shared_squares(one) for one in packed]
    across = cross_path(*packed, *squares)
    assert torch.equal(across.nan_to_num(-1), cross_path(now, before, *squares).nan_to_num(-1))
    assert torch.equal(across.diagonal().nan_to_num(-1), self_similarity(*packed).nan_to_num(-1))


@settings(max_examples=40, deadline=None)
@given(paths)
def test_packed_paths_are_what_is_stored(pair):
    now, _ = pair
    packed, stored = packing.pack(now), pack_paths(now.numpy())
    np.testing.assert_array_equal(packing.to_stored(packed, now.shape[1]), stored)
    assert torch.equal(packing.from_stored(stored), packed)
    tiles = torch.cat(list(packing.unpacked_tiles(packed, 64)), dim=1)
    assert torch.equal(tiles[:, : now.shape[1]].bool(), now)
    assert not tiles[:, now.shape[1] :].any()


def test_counts_are_exact_across_tiles_of_rows_and_words_and_threads(monkeypatch):
    monkeypatch.setattr(popcount, "WORTH_A_THREAD", 1)
    rows = np.random.default_rng(0).integers(0, 2**64, (popcount.TILE_ROWS * 2 + 3, popcount.TILE_WORDS + 5), np.uint64)
    expected = np.stack([np.bitwise_count(rows & row).sum(1, dtype=np.int64) for row in rows])
    for threads in (1, 2, 5):
        np.testing.assert_array_equal(popcount.gram(rows, threads), expected)
    np.testing.assert_array_equal(popcount.row_overlaps(rows, rows), expected.diagonal())


def test_ratios_are_those_of_numpy_to_the_bit_in_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(popcount, "TILE_PAIRS", 7)
    shared, now, before = np.random.default_rng(0).integers(1, 100_000, (3, 50))
    now[3] = shared[3] = 0
    with np.errstate(invalid="ignore"):
        expected = shared / np.sqrt((now * before).astype(np.float64))
    for threads in (1, 3):
        np.testing.assert_array_equal(popcount.ratios(shared, now, before, threads), expected)


def test_counts_beyond_two_to_the_24_lose_no_bit():
    units = 2**24 + 2 * 64
    all_on = torch.full((2, units // 64), -1)
    all_on[1, 0] = -2  # unit 0 of image 1 is off
    expected = [[units, units - 1], [units - 1, units - 1]]
    assert overlap(all_on).tolist() == expected
    assert gram.unpacked_gram(all_on, gram.TILE_UNITS_INT8).tolist() == expected
    assert row_counts(all_on).tolist() == [units, units - 1]


def test_rows_need_not_lie_side_by_side():
    packed = packing.pack(random_paths(6, 200, 0.5, 0)[0])
    assert overlap(packed[::2]).tolist() == overlap(packed)[::2, ::2].tolist()


@pytest.mark.parametrize("images", [0, 1])
def test_no_pair_is_no_special_case(images):
    layer = random_paths(images, 70, 0.5, 1)[0]
    assert overlap(layer).tolist() == slow_overlap(layer)
    assert gram.unpacked_gram(packing.pack(layer), 64).tolist() == slow_overlap(layer)
    assert overlap(torch.zeros(images, 0, dtype=torch.bool)).tolist() == [[0] * images] * images


def cosine(found):
    norms = found.diagonal().sqrt()
    return found / (norms[:, None] * norms)


@settings(max_examples=40, deadline=None)
@given(
    images=st.integers(1, 20),
    units=st.integers(1, 500),
    density=st.sampled_from([0.01, 0.4, 1.0]),
    scale=st.sampled_from([1e-20, 1.0, 1e20]),
    seed=st.integers(0, 10_000),
)
def test_products_in_float32_are_within_1e_5_of_float64(images, units, density, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    on = random_paths(images, units, density, seed)
    now, before = torch.randn(2, images, units, generator=generator).abs() * on * scale
    for other in (None, now, before):
        exact = gram.multiplied_gram(now, other, 100, torch.float64)
        fast = gram.multiplied_gram(now, other, 100, torch.float32)
        torch.testing.assert_close(cosine(fast), cosine(exact), rtol=0, atol=1e-5, equal_nan=True)


def test_blocks_of_images_add_up_to_all_pairs(monkeypatch):
    now, before = torch.rand(2, 9, 40)
    packed = packing.pack(now > 0.5)
    whole = gram.multiplied_gram(now, before, 16, torch.float64), gram.unpacked_gram(packed, 64)
    monkeypatch.setattr(gram, "BLOCK_IMAGES", 4)
    blocked = gram.multiplied_gram(now, before, 16, torch.float64), gram.unpacked_gram(packed, 64)
    torch.testing.assert_close(blocked[0], whole[0], rtol=1e-13, atol=0)
    assert torch.equal(blocked[0], blocked[0].T)
    assert torch.equal(blocked[1], whole[1])


def test_tiles_shrink_until_they_fit_into_the_memory():
    tried = []

    def compute(tile_units):
        tried.append(tile_units)
        if tile_units > 1000:
            raise torch.OutOfMemoryError
        return torch.tensor(tile_units)

    assert gram.with_smaller_tiles(compute, 8192) == 512
    assert tried == [8192, 4096, 2048, 1024, 512]


def test_a_tile_that_never_fits_is_an_error():
    def compute(tile_units):
        raise torch.OutOfMemoryError(f"{tile_units} units")

    with pytest.raises(torch.OutOfMemoryError, match=f"^{gram.LEAST_TILE_UNITS} units"):
        gram.with_smaller_tiles(compute, 8192)
