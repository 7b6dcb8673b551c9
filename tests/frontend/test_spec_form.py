import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import FieldError
from backend.schemas import RunSpec
from frontend import spec_form
from frontend.pages.new_run import curl_command
from frontend.presets import presets
from frontend.spec_form import Kind

START = {"net": "alexnet", "dataset": "digits"}


def leaves(schema, prefix=""):
    for name, value in schema.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def kind_of(path):
    return next(field.kind for field in spec_form.fields() if field.path == path)


def test_form_asks_for_every_field_that_has_a_choice():
    every = set(leaves(RunSpec.model_validate(START).model_dump(mode="json")))
    assert {field.path for field in spec_form.fields()} == every - {"optimiser.kind"}


def test_groups_hold_each_field_once():
    grouped = [field.path for group in spec_form.groups() for field in group.fields]
    assert sorted(grouped) == sorted(field.path for field in spec_form.fields())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("net", Kind.SELECT),
        ("augmentation", Kind.SELECT),
        ("epochs", Kind.INTEGER),
        ("optimiser.lr", Kind.NUMBER),
        ("optimiser.nesterov", Kind.SWITCH),
        ("lr_schedule.milestones", Kind.INTEGERS),
        ("quantities", Kind.CHOICES),
        ("tags", Kind.TAGS),
        ("name", Kind.TEXT),
        ("notes", Kind.TEXT_AREA),
    ],
)
def test_widget_follows_from_the_type(path, kind):
    assert kind_of(path) is kind


def test_number_fields_carry_the_bounds_of_the_schema():
    count = next(field for field in spec_form.fields() if field.path == "probe.count")
    assert (count.least, count.most) == (2, 2048)


def test_select_offers_what_the_catalogue_holds():
    net = next(field for field in spec_form.fields() if field.path == "net")
    assert {"alexnet", "mlp"} <= {value for value, _ in net.options}


def test_widget_ids_are_distinct():
    ids = [field.widget_id for field in spec_form.fields()]
    assert len(set(ids)) == len(ids)


def test_request_of_untouched_form_holds_no_defaults():
    assert spec_form.request_of(spec_form.values_of(START)) == START


specs = st.builds(
    lambda epochs, **rest: RunSpec.model_validate({**START, "epochs": epochs, **rest}),
    epochs=st.integers(4, 300),
    tags=st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=3),
    notes=st.text(max_size=40).filter(lambda text: text.isprintable()),
    optimiser=st.fixed_dictionaries({"lr": st.floats(1e-6, 10), "momentum": st.floats(0.1, 0.99)}),
    lr_schedule=st.sampled_from(
        [{"milestones": [1, 3]}, {"kind": "one_cycle", "warm_up": 0.2}, {"gamma": 0.5}, {"milestones": []}]
    ),
    probe=st.sampled_from([{"indices": [3, 1, 2]}, {"count": 17, "balanced": False}]),
    quantities=st.sampled_from([["path"], ["activation"], ["path", "activation"], ["path", "projection"]]),
    precision=st.sampled_from(["fp32", "bf16"]),
    label_smoothing=st.sampled_from([0, 0.1]),
    compile=st.booleans(),
)


@given(specs)
def test_spec_comes_back_from_the_form_as_it_was(spec):
    values = spec_form.values_of(spec.model_dump(mode="json"))
    found, errors = spec_form.check(spec_form.request_of(values))
    assert errors == {}
    assert found == spec


@pytest.mark.parametrize(
    ("changed", "place", "words"),
    [
        ({"epochs": ""}, "epochs", "enter a number"),
        ({"epochs": 0}, "epochs", "must be greater than or equal to 1"),
        ({"optimiser.momentum": 2}, "optimiser.momentum", "must be less than 1"),
        ({"epochs": 10, "lr_schedule.milestones": "5, 12"}, "lr_schedule.milestones", "milestone 12"),
        ({"lr_schedule.milestones": "5, x"}, "lr_schedule.milestones", "'x' is not a whole number"),
        ({"epochs": 3, "recordings.every_epochs": 5}, "recordings.every_epochs", "more than the run's epochs"),
        ({"net": ""}, "net", "choose one"),
        ({"net": "nosuch"}, "net", "no such net"),
        ({"probe.count": 2000}, "probe.count", "1437 training images"),
        ({"probe.indices": "1"}, "probe.indices", "at least 2"),
        ({"tags": ["two words"]}, "tags", "a tag is one word"),
        ({"quantities": []}, "quantities", "choose at least 1"),
        ({"quantities": ["activation", "projection"]}, "quantities", "choose path as well"),
    ],
)
def test_error_stands_beside_its_field(changed, place, words):
    spec, errors = spec_form.check(spec_form.request_of({**spec_form.values_of(START), **changed}))
    assert spec is None
    assert set(errors) == {place}
    assert words in errors[place]


def test_error_of_no_field_names_where_it_is():
    assert spec_form.by_field([FieldError("nonsense", 1, "is unknown")]) == {"": "nonsense: is unknown"}


def test_two_errors_of_one_field_are_both_told():
    found = spec_form.by_field([FieldError("tags.0", "", "too short"), FieldError("tags.1", "", "too long")])
    assert found == {"tags": "too short; too long"}


def test_curl_command_sends_the_request_unharmed():
    request = {**START, "name": 'it\'s "quoted" $HOME\nand two lines'}
    words = shlex.split(curl_command("http://localhost:8000", request))
    assert json.loads(words[words.index("-d") + 1]) == request


def test_every_preset_that_is_offered_is_valid():
    offered = [preset for preset in presets(list(spec_form.catalogue.datasets().values())) if preset.request]
    assert {"demo", "quick", "paper"} <= {preset.key for preset in offered}
    for preset in offered:
        assert spec_form.check(preset.request)[1] == {}


def test_paper_preset_is_off_without_cifar():
    assert {preset.key for preset in presets([]) if preset.request is None} == {"paper", "early"}


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("milestones", {"kind": "milestones", "milestones": [2, 4], "gamma": 0.5}),
        ("one_cycle", {"kind": "one_cycle", "warm_up": 0.2}),
        ("cosine", {"kind": "cosine"}),
    ],
)
def test_fields_that_the_schedule_does_not_have_are_not_asked_for(kind, asked):
    schedule = {"kind": kind, "milestones": [2, 4], "gamma": 0.5, "warm_up": 0.2}
    found = spec_form.request_of(spec_form.values_of(START | {"lr_schedule": schedule}))
    assert {"kind": "milestones"} | found["lr_schedule"] == asked


def test_projections_are_timed_only_where_they_are_recorded():
    values = spec_form.values_of(START)
    assert not spec_form.matters("recordings.projection_every", values)
    assert spec_form.matters("recordings.projection_every", values | {"quantities": ["path", "projection"]})
    assert spec_form.matters("epochs", values)
