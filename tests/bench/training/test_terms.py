"""What the training curve says of an objective of several terms."""

from __future__ import annotations

import pytest
import torch

from models.method import Method, Term


def test_every_term_is_logged_and_the_objective_is_their_weighted_sum(tiny, new_method):
    class TwoTerms(Method):
        def training_terms(self, batch):
            return {**super().training_terms(batch), "constant": Term(torch.tensor(3.0), 0.5)}

    method = new_method()
    records = tiny.run(TwoTerms(method.backbone, method.loss)).progress.training
    assert [record["step"] for record in records] == [10, 12]
    for record in records:
        terms = {"segmentation", "constant", "segmentation_weighted", "constant_weighted"}
        assert set(record) == {"step", *terms, "objective", "gradient_norm", "learning_rate"}
        assert record["constant"] == 3
        assert record["constant_weighted"] == 1.5
        assert record["objective"] == pytest.approx(record["segmentation"] + 1.5, rel=1e-6)


def test_what_the_terms_do_to_each_other_is_looked_at_now_and_then_and_in_the_last_step(tiny, new_method):
    class Looked(Method):
        def gradient_facts(self, terms):
            return {"regression_reach": 0.5}

    method = new_method()
    tiny.budget = {"steps": 112, "validate_every": 112, "checkpoint_every": 112}
    records = tiny.run(Looked(method.backbone, method.loss)).progress.training
    assert [record["step"] for record in records if "regression_reach" in record] == [50, 100, 112]
    assert all(record.get("regression_reach", 0.5) == 0.5 for record in records)
