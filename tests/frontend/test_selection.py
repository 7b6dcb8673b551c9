"""A selection and its address say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.schemas import Quantity
from frontend.components.selection import Selection, middle_layer, parse, search_of

selections = st.builds(
    Selection,
    layer=st.none() | st.integers(1, 10_000),
    quantity=st.sampled_from(Quantity),
    partner=st.none() | st.integers(0, 100_000),
    t=st.none() | st.integers(0, 100_000),
    sort=st.sampled_from(["label", "value"]),
)


@given(selections)
def test_parse_when_given_its_own_address_finds_the_selection(selection):
    assert parse(search_of(selection)) == selection


def test_search_of_when_all_is_default_is_empty():
    assert search_of(Selection()) == ""


def test_search_of_when_chosen_names_every_part():
    chosen = Selection(4, Quantity.ACTIVATION, 17, 0, "value")
    assert search_of(chosen) == "?layer=4&quantity=activation&partner=17&t=0&sort=value"


@pytest.mark.parametrize(
    "search",
    ["", "?", "?layer=0&partner=-1&t=1.5", "?layer=x&quantity=foo&sort=size", "?t=99999999999999", "?t=²", "?other=1"],
)
def test_parse_when_parts_make_no_sense_counts_them_as_missing(search):
    assert parse(search) == Selection()


@given(st.text())
def test_parse_when_given_anything_never_fails(text):
    assert isinstance(parse(text), Selection)


@pytest.mark.parametrize(("layers", "middle"), [(1, 1), (2, 1), (7, 4), (17, 9)])
def test_middle_layer_when_the_net_has_layers_is_one_of_them(layers, middle):
    assert middle_layer(layers) == middle
