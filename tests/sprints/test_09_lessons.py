"""The small scripts that sprint 9's notes are taught with."""

import shutil
from pathlib import Path

import pytest
import torch

from shared.text.batches import Batch
from shared.text.cookbook import Cookbook
from shared.training.losses import language_model_loss


def test_counting_gives_a_distribution_over_sentences(load_sprint):
    script = load_sprint("09_train_gpt2/count_and_predict.py")
    sentences = [("the", verb, end) for verb, end in (("cat", "sat"), ("cat", "ran"), ("dog", "sat"), ("dog", "ran"))]
    found = [script.main(script.Config(sentence=sentence)).probability for sentence in sentences]
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    with pytest.raises(ValueError, match="--sentence must be of words of --text; got bird"):
        script.Config(sentence=("bird",)).check()
    with pytest.raises(ValueError, match="room for 9 different words; --text has 11"):
        script.Config(text=tuple("abcdefghij"), sentence=("a",)).check()


def test_surprise_is_the_loss_that_trains(load_sprint):
    script = load_sprint("09_train_gpt2/surprise.py")
    results = script.main(script.Config(probabilities=(0.5, 0.25, 0.25, 0.125), cats=(3, 1)))
    assert results.mean_bits == pytest.approx(2)
    assert results.perplexity == pytest.approx(4)
    assert results.by_losses == pytest.approx(results.mean_nats)
    assert results.shares[results.losses_of_shares.index(min(results.losses_of_shares))] == results.best_share == 0.75


def test_a_step_by_hand_is_the_step_of_the_loop(load_sprint):
    script = load_sprint("09_train_gpt2/one_training_step.py")
    for clip in (0.1, 1.0):
        results = script.main(script.Config(clip=clip, learning_rate=2.0))
        assert results.by_loop == pytest.approx(results.weights, rel=1e-4)
        assert torch.tensor(results.clipped).norm().item() == pytest.approx(min(clip, results.norm))


def test_adamw_by_hand_is_pytorchs_and_muon_evens_out(load_sprint):
    script = load_sprint("09_train_gpt2/optimizers_by_hand.py")
    results = script.main(script.Config(gradients=(3.0, -0.2, 0.0, 7.0), learning_rate=0.1))
    assert results.difference_from_pytorch < 1e-12
    before, after = results.singular_values, results.singular_values_of_muon
    assert before[0] / before[-2] > 5 * after[0] / after[-2]
    assert after[0] < 1.3


def test_more_order_fits_what_was_read_and_not_what_was_not(load_sprint):
    script = load_sprint("09_train_gpt2/over_and_underfitting.py")
    results = script.main(script.Config(characters=2000, orders=(1, 5, 9), texts=(500, 4000), order=5, recipes=20))
    assert results.read[0] > results.read[1] > results.read[2]
    assert results.best_order == 5
    assert results.unread_by_text[1] < results.unread_by_text[0]


class CopiesWhatItRead(torch.nn.Module):
    """Gives the token that it has read a logit of 9, and its successor in the alphabet one of 5."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return 9.0 * torch.eye(8)[tokens] + 5.0 * torch.eye(8).roll(1, 1)[tokens]


def test_each_fault_scores_what_its_name_says(load_sprint):
    part = load_sprint("09_train_gpt2/pretraining_study/labelled_runs.py")
    model = CopiesWhatItRead()
    rows = torch.tensor([[0, 1, 2, 3, 4], [4, 5, 6, 7, 0]])
    means = {}
    for loss_of in (
        language_model_loss, part.labels_not_shifted, part.labels_shifted_twice, part.labels_of_another_row,
    ):  # fmt: skip
        loss, count = loss_of(model, Batch(rows, None))
        means[loss_of.__name__] = loss.item() / count
    copied, after, other = -torch.tensor([9.0, 5, 0, 0, 0, 0, 0, 0]).log_softmax(0)[:3]
    # A small difference of logits near 14, which float32 knows to 1e-6.
    assert means["labels_not_shifted"] == pytest.approx(copied.item(), abs=1e-6)
    assert means["language_model_loss"] == pytest.approx(after.item(), abs=1e-6)
    assert means["labels_shifted_twice"] == pytest.approx(other.item(), abs=1e-6)
    assert means["labels_of_another_row"] > means["language_model_loss"]
    titles = [run.title for run in part.RUNS]
    assert len(set(titles)) == 8
    assert [title[0] for title in titles] == list("12345678")


def test_the_labelled_runs_train(load_sprint):
    script = load_sprint("09_train_gpt2/reading_loss_curves.py")
    config = script.Config(steps=3, eval_every=2, recipes=8, context=8, batch_size=2, d_model=8, layers=1)
    results = script.main(config)
    assert results.steps == [0, 2, 3]
    assert {len(run.training) for run in results.runs.values()} == {3}
    assert {len(run.validation) for run in results.runs.values()} == {3}
    first = next(iter(results.runs.values()))
    assert first.honest == pytest.approx(first.validation[-1])
    assert len({run.training[-1] for run in results.runs.values()}) == 8, "each run differs in what its title says"
    again = script.main(config)
    assert again.runs["1. healthy"].training == first.training, "same seed, same results"


def test_rows_of_a_batch_are_drawn_as_they_are(load_sprint):
    script = load_sprint("09_train_gpt2/rows_of_a_batch.py")
    results = script.main(script.Config())
    assert [len(row) for row in results.documents] == [9, 9]
    for start, block in zip(results.starts, results.blocks, strict=True):
        assert results.text[start : start + 5] == block
    assert results.positions == [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]


def test_a_model_writes_while_it_learns(load_sprint, tmp_path: Path):
    script = load_sprint("09_train_gpt2/samples_by_step.py")
    text = tmp_path / "recipes.txt"
    text.write_text("\n\n".join(Cookbook().recipe("train", index).text for index in range(5)), encoding="utf-8")
    small = {"context": 16, "layers": 1, "d_model": 8, "batch_size": 2, "device": "cpu"}
    results = script.main(script.Config(data=str(text), samples_at=(0, 4), **small))
    assert len(results.samples) == len(results.validation_losses) == 2
    assert results.validation_losses[1] < results.validation_losses[0]
    assert len(results.train_losses) == 4
    for steps in ((0,), (4, 2), (3, 3)):
        with pytest.raises(ValueError, match="--samples-at must be steps in growing order"):
            script.Config(samples_at=steps).check()
    with pytest.raises(ValueError, match="--data must be a text"):
        script.main(script.Config(data="cookbook", samples_at=(1,), **small))


def test_a_half_written_file_is_met_in_place_alone(load_sprint):
    script = load_sprint("09_train_gpt2/saving_safely.py")
    results = script.main(script.Config(old=1, new=2))
    assert results.in_place == ["step 1", "unreadable", "step 2"]
    assert results.renamed == ["step 1", "step 1", "step 2"]
    assert results.other_name == ["", "unreadable", ""]


def test_the_picture_of_tensorboard_needs_a_browser(load_sprint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    script = load_sprint("09_train_gpt2/tensorboard_screenshot.py")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ValueError, match="install one of chromium"):
        script.Config().check()
    with pytest.raises(ValueError, match=r"must be a results file of train\.py, with steps"):
        script.main(script.Config(results=script.HERE / "results" / "surprise.json"))
    written = []

    def picture_of(logs: Path, *size: int) -> bytes:
        written.extend([*sorted(path.name for path in logs.rglob("*") if path.is_dir()), size])
        return b"picture"

    monkeypatch.setattr(script, "picture_of_tensorboard", picture_of)
    assert script.main(script.Config(out=tmp_path)).scalars == 18
    assert written == ["loss_train", "loss_validation", (1000, 600, 60)]
    assert (tmp_path / "tensorboard.png").read_bytes() == b"picture"
