"""A short form of tests/faults/test_schema_fuzz.py."""

from tests.schema_fuzz import fuzz


def test_a_few_hundred_requests_are_answered_as_the_document_says(home, monkeypatch) -> None:
    assert fuzz(home, monkeypatch, phases="fuzzing", examples=4, seed=0) >= 150
