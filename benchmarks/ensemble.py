"""Ways to put a linear and a deep autoencoder together, by their validation; and what training and scoring take.

python benchmarks/ensemble.py --dataset=ml-1m --data_path=DATA --config_files configs/ml-1m.yaml
    --settings configs/tuned/ml-1m/EnsembleAE.yaml
"""

import argparse
import time

import torch
from common import report, side_by_side

import recbole_edlae  # noqa: F401  before RecBole
from recbole_edlae.model.deepae import DeepAE
from recbole_edlae.model.ensembleae import EnsembleAE
from recbole_edlae.model.two_stages import TwoStageTrainer
from recbole_edlae.nn import standardize_
from recbole_edlae.runs.preparation import prepare_data
from recbole_edlae.runs.run import make_run
from recbole_edlae.runs.runner import quiet
from recbole_edlae.settings.files import value_of

from recbole.trainer import Trainer  # isort: skip
from recbole.utils import init_seed  # isort: skip

WEIGHTS = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 1.0)
SMALLEST = 1e-3  # score in a product


def standardized(linear, deep, weight):
    return (1 - weight) * standardize_(linear) + weight * standardize_(deep)


def plain(linear, deep, weight):
    return (1 - weight) * linear + weight * deep


def product(linear, deep, weight):
    return linear.clamp(min=SMALLEST) ** (1 - weight) * deep.clamp(min=SMALLEST) ** weight


class Mixed(EnsembleAE):
    """EnsembleAE whose scores are mixed in some way."""

    way = staticmethod(standardized)

    def score(self, items, count):
        deep = DeepAE.score(self, items, count)
        return self.way(self.linear.score(items, count), deep, self.deep_weight) if self.fitted else deep


class Residual(Mixed):
    """The deep path learns what the linear one leaves of the histories, both read with the same entries dropped."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.scale = 1.0

    def way(self, linear, deep, weight):
        return (1 - weight) * self.scale * linear + weight * deep

    def row_loss(self, rows, reconstruction):
        own_loss = self.loss
        linear = self.scale * self.linear_scores(rows)
        self.loss = lambda scores, *others: own_loss(linear + scores, *others)
        try:
            return super().row_loss(rows, reconstruction)
        finally:
            self.loss = own_loss

    @torch.no_grad()
    def linear_scores(self, rows):
        """The scores of the linear path for histories with dropped entries, as the deep path reads them."""
        B = self.linear.weights.encoder
        sums = torch.nn.functional.embedding_bag(
            rows.columns, B, rows.start, mode="sum", per_sample_weights=rows.values
        )
        return sums * rows.lengths[:, None].sqrt() if self.normalize_input else sums


class Joint(Residual):
    """The same with a scale of the linear path that is learned too: both are under one loss."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.scale = torch.nn.Parameter(torch.tensor(10.0))


def trained(run, model_class, **settings):
    """A model of some class with its trainer, the loader of validation, and the seconds of the training."""
    config = run.config(show_progress=False, **settings)
    train, valid, _ = prepare_data(config)
    init_seed(config["seed"], config["reproducibility"])
    model = model_class(config, train.dataset)
    own = TwoStageTrainer if model_class is Mixed else Trainer
    trainer = own(config, model)
    start = time.perf_counter()
    trainer.fit(train, valid, verbose=False)
    seconds = time.perf_counter() - start
    trainer.resume_checkpoint(trainer.saved_model_file)
    return model.eval(), trainer, valid, seconds


def validations(name, model, trainer, valid):
    """A row for each weight."""
    for weight in WEIGHTS:
        model.deep_weight = weight
        yield {"way": name, "deep_weight": weight, **trainer.evaluate(valid, load_best_model=False)}


@torch.no_grad()
def scoring_seconds(model, users, repeats):
    """Median seconds to score some users, by either path and by both."""
    history = model.history(users)
    functions = {
        "linear path": lambda: model.linear.score(*history),
        "deep path": lambda: DeepAE.score(model, *history),
        "EnsembleAE": lambda: EnsembleAE.score(model, *history),
    }
    return {name: sorted(seconds)[repeats // 2] for name, seconds in side_by_side(functions, repeats).items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--data_path")
    parser.add_argument("--config_files", nargs="*", default=["configs/ml-100k.yaml"])
    parser.add_argument("--settings", nargs="*", default=[], help="more config files, or key=value")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out")
    options = parser.parse_args()
    files = [*options.config_files, *(word for word in options.settings if "=" not in word)]
    settings = dict(word.split("=", 1) for word in options.settings if "=" in word)
    settings = {key: value_of(value) for key, value in settings.items()}
    settings |= {"data_path": options.data_path} if options.data_path else {}
    run = make_run("EnsembleAE", options.dataset, files, settings)
    rows = []
    with quiet():
        model, trainer, valid, seconds = trained(run, Mixed)
        start = time.perf_counter()
        model.fit()
        linear_seconds = time.perf_counter() - start
        for way in (standardized, plain, product):
            model.way = way
            rows += validations(f"apart, {way.__name__}", model, trainer, valid)
        scoring = scoring_seconds(model, torch.arange(1, min(model.n_users, 1001)), options.repeats)
        for name, model_class, more in (
            ("residual", Residual, {}),
            ("joint", Joint, {"loss_type": "multinomial"}),
        ):
            rows += validations(name, *trained(run, model_class, deep_weight=0.5, **more)[:3])
    times = {"training": {"linear path": linear_seconds, "both": seconds}, "scoring": scoring}
    report(rows, options.out, times=times, dataset=options.dataset)
    print(times)


if __name__ == "__main__":
    main()
