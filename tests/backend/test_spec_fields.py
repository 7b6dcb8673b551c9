from backend.run_filter import FIELDS
from backend.schemas import RunSpec
from backend.spec_fields import SPEC_FIELDS, flat


def test_every_field_of_a_spec_has_a_kind():
    spec = RunSpec(net="mlp", dataset="digits")
    assert list(SPEC_FIELDS) == list(flat(spec))
    lists = {name for name, kind in SPEC_FIELDS.items() if kind == "list"}
    assert lists == {"tags", "lr_schedule.milestones", "probe.indices", "quantities"}
    kinds = [SPEC_FIELDS[name] for name in ("net", "epochs", "optimiser.nesterov", "device", "lr_schedule.kind")]
    assert kinds == ["text", "number", "flag", "text", "text"]
    assert not lists & set(FIELDS)


def test_a_list_of_a_spec_is_told_by_what_is_in_it():
    found = flat(RunSpec(net="mlp", dataset="digits"))
    assert f"{found['quantities']}" == "path, activation"
    assert f"{found['lr_schedule.milestones']}" == "10, 15"
    assert f"{found['tags']}" == "none"
    assert found["quantities"] == ["path", "activation"]
