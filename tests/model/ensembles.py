"""Members of ensembles on `tiny`, and the scores of a model."""

import torch
from recbole.data.interaction import Interaction

# Closed form, trained in epochs on pairs and on users, RecBole's own, and one with a seed of its own.
MEMBERS = {
    "EDLAE": {"reg_weight": 3.0, "user_weight_power": 0.5},
    "DeepAE": {"latent_dimension": 6, "learning_rate": 0.05, "epochs": 12, "stopping_step": 1},
    "BPR": {"embedding_size": 8, "epochs": 3, "learning_rate": 0.01},
    "EASE": {},
    "ItemKNN": {"k": 5},
    "MultiDAE": {"epochs": 2, "latent_dimension": 4, "mlp_hidden_size": [8], "train_neg_sample_args": None},
    "LightGCN": {"embedding_size": 8, "epochs": 2},
    "another seed": {"model": "DeepAE", "latent_dimension": 6, "epochs": 2, "seed": 7},
}


def scores_of(model):
    users = Interaction({model.USER_ID: torch.arange(1, model.n_users)})
    with torch.no_grad():
        return model.full_sort_predict(users).view(-1, model.n_items).double().numpy()
