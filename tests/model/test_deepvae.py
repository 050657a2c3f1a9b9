"""DeepVAE's annealing, early stop and resumption."""

import pytest


def test_training_stops_early_and_resumes(build, tmp_path):
    _, trainer, train, valid, _ = build("DeepVAE", epochs=50, stopping_step=2)
    trainer.fit(train, valid)
    assert len(trainer.train_loss_dict) < 50
    twin, resumed, *_ = build("DeepVAE")
    resumed.resume_checkpoint(trainer.saved_model_file)
    assert resumed.start_epoch > 0 and twin.step == resumed.start_epoch * len(train)


def test_annealing_rises_in_a_line_to_its_cap(build):
    model, _, train, _, _ = build("DeepVAE", anneal_cap=0.5, total_anneal_steps=10)
    batch, betas = next(iter(train)), []
    for _ in range(12):
        model.calculate_loss(batch)
        betas.append(model.beta)
    assert betas == pytest.approx([0.05 * step for step in range(1, 11)] + [0.5, 0.5])
