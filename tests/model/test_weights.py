"""Weights in any form: what the forms share, and the checks of their stored tensors."""

import pytest
import torch

from recbole_edlae.model import weight_forms
from recbole_edlae.model.stored_weights import check_tensors
from recbole_edlae.model.weights import Dense


def test_similarity_asks_for_scores_on_the_device_of_the_weights():
    """On the device "meta", which any machine has; a GPU refuses indices of the CPU."""

    class Recording(Dense):
        def score(self, items, count):
            self.devices = {items.device.type, count.device.type}
            return super().score(items, count)

    weights = Recording(encoder=torch.empty(4, 4, device="meta"))
    assert weights.similarity(2).shape == (4,)
    assert weights.devices == {"meta"}


@pytest.mark.parametrize("name", weight_forms.names())
def test_every_tensor_of_a_form_is_checked_before_it_is_read(name):
    """One that the table of axes lacks would pass unchecked to compiled loops."""
    with pytest.raises(ValueError, match=rf"^{name} must have \d axes"):
        check_tensors({name: torch.tensor(1.0)}, 3)


def test_embeddings_of_a_full_rank_model_are_refused_with_the_models_that_have_them():
    weights = weight_forms.of_tensors({"encoder": torch.zeros(3, 3)})
    with pytest.raises(ValueError, match="LowRankEDLAE, and DLAE with a rank, have embeddings"):
        weights.item_embedding("encoder")
