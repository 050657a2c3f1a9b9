"""What RecBole makes of the made-up shop: its parts, and the candidates of its users."""

import random

from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

from tests.shop import shop_rows

SAMPLED = {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": "user", "order": "RO", "mode": "uni5"}
COLUMNS = {"inter": ["user_id", "item_id", "rating", "timestamp"]}
# The user `all` has all items.
FULL_USER = [*shop_rows(), *(("all", f"i{i}", 3, 1_700_000_000 + i) for i in range(20))]


def build(model="EDLAE", name="shop", **settings):
    """Config, dataset and the three loaders of a run."""
    settings = {"state": "ERROR", "load_col": COLUMNS, "data_path": "dataset", **settings}
    config = Config(model, name, config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    return config, dataset, data_preparation(config, dataset)


def pairs(dataset):
    """Interactions of a part, as tokens and sorted."""
    users = dataset.id2token(dataset.uid_field, dataset.inter_feat[dataset.uid_field])
    items = dataset.id2token(dataset.iid_field, dataset.inter_feat[dataset.iid_field])
    return sorted(zip(users.tolist(), items.tolist()))


def parts(eval_args, **settings):
    return [pairs(loader._dataset) for loader in build(eval_args=eval_args, **settings)[2]]


def shuffled(rows, seed=1):
    return random.Random(seed).sample(rows, len(rows))


def candidates(model, **settings):
    """User token → sorted tokens of the items it is ranked among, for each held-out phase."""
    _, data, (_, *held_out) = build(model, **settings)
    found = []
    for loader in held_out:
        ranked = {}
        for batch, _, _, _ in loader:
            for user, item in zip(batch["user_id"].tolist(), batch["item_id"].tolist()):
                ranked.setdefault(str(data.field2id_token["user_id"][user]), []).append(
                    str(data.field2id_token["item_id"][item])
                )
        found.append({user: sorted(items) for user, items in ranked.items()})
    return found
