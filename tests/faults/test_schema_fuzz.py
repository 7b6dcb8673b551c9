"""Thousands of requests, right and wrong, on both databases: no answer that the OpenAPI document does not name."""

import random

import pytest

from tests.schema_fuzz import fuzz


@pytest.mark.usefixtures("database")
@pytest.mark.timeout(1800)
def test_thousands_of_requests_are_answered_as_the_document_says(home, monkeypatch) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    cases = fuzz(home, monkeypatch, phases="coverage,fuzzing", examples=80, seed=seed)
    print(f"{cases} cases")
    assert cases >= 5000
