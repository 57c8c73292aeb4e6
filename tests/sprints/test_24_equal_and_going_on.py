"""Sprint 24, notes 8 to 10: equal numbers, the main job on several processes, and workers that die."""

import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lesson_texts import SPRINTS, by_name, importable, lesson_texts

from shared.training.checkpoints import load_checkpoint
from shared.training.muon import orthogonalise

SPRINT = "24_distributed_training"
PAGE, note = lesson_texts(SPRINT)
_importable = importable(SPRINT, "09_train_gpt2")
TINY = {
    "tokenizer": "char", "context": 16, "layers": 1, "heads": 2, "d_model": 8, "steps": 4, "batch_size": 4,
    "accumulate": 2, "warmup": 1, "eval_every": 2, "save_every": 2, "precision": "float32", "ngram_tokens": 500,
    "muon_learning_rate": 0.0, "recipes": 1, "device": "cpu",
}  # fmt: skip


def differences(double: bool) -> dict[str, dict[bool, Any]]:
    """Return how far the ways are from one process, by way and whether with Muon; called in a group."""
    equal = by_name("parallel_study.equal")
    found = {muon: equal.compare(equal.WAYS, muon, double, 4, 2, 0) for muon in (False, True)}
    return {way: {muon: of_way[way] for muon, of_way in found.items()} for way in equal.WAYS}


@pytest.mark.parametrize("double", [False, True])
def test_one_process_is_ddp_is_fsdp_is_tensor_parallel(on_processes, double: bool):
    first, second = on_processes(2, differences, double)
    assert first == second  # every process has the same losses and weights
    for of_way in first.values():
        for losses, weights, norms in of_way.values():
            assert losses[0] < 1e-6
            assert len(weights) == len(norms) == 2
            if double:
                assert max(*losses, *weights, *norms) < 1e-12


def train_and_go_on(text: Path, folder: Path) -> dict[str, Any]:
    """Train by DDP, and go on from its checkpoint of the middle by FSDP2; called in a group."""
    train = by_name("train")
    real = train.save_whole

    def save_and_keep(path: Path, **state: Any) -> None:
        real(path, **state)
        if path.exists() and state["step"] == 2:
            shutil.copy(path, path.with_name("middle.pt"))

    train.save_whole = save_and_keep
    found = {}
    for mode in ("ddp", "fsdp"):
        config = train.Config(**TINY, data=str(text), parallel=mode, out=folder / mode, resume=mode == "fsdp")
        if torch.distributed.get_rank() == 0 and mode == "fsdp":
            (folder / mode / "checkpoints").mkdir(parents=True)
            shutil.copy(folder / "ddp/checkpoints/middle.pt", folder / mode / "checkpoints/book.pt")
        torch.distributed.barrier()
        found[mode] = train.main(config)
    return found


def test_the_main_job_on_two_processes_and_its_checkpoint_elsewhere(load_sprint, on_processes, tmp_path: Path):
    text = tmp_path / "book.txt"
    text.write_text("the cat sat on the mat, and the dog saw it there. " * 40, encoding="utf-8")
    first, second = on_processes(2, train_and_go_on, text, tmp_path)
    train = load_sprint("09_train_gpt2/train.py")
    alone = train.main(train.Config(**TINY, data=str(text), out=tmp_path / "alone"))
    (tmp_path / "one/checkpoints").mkdir(parents=True)
    shutil.copy(tmp_path / "ddp/checkpoints/middle.pt", tmp_path / "one/checkpoints/book.pt")
    resumed = train.main(train.Config(**TINY, data=str(text), out=tmp_path / "one", resume=True))
    whole = load_checkpoint(tmp_path / "alone/checkpoints/book.pt")
    assert replace(first["ddp"], training_seconds=0.0) == replace(second["ddp"], training_seconds=0.0)
    for name, results in (("ddp", first["ddp"]), ("fsdp", first["fsdp"]), ("one", resumed)):
        checkpoint = load_checkpoint(tmp_path / name / "checkpoints/book.pt")
        assert checkpoint["config"] == whole["config"]
        assert checkpoint["data"].keys() == whole["data"].keys()
        assert torch.equal(checkpoint["data"]["generator"], whole["data"]["generator"])
        assert checkpoint["extra"]["losses"] == pytest.approx(whole["extra"]["losses"], abs=1e-5)
        for weight, value in whole["model"].items():
            torch.testing.assert_close(checkpoint["model"][weight], value, atol=2e-4, rtol=0)
        assert results.validation_loss == pytest.approx(alone.validation_loss, abs=1e-4)
        assert results.validation_losses == pytest.approx(alone.validation_losses, abs=1e-4)
        assert results.validation_tokens == alone.validation_tokens


def run_by_torchrun(*words: str) -> tuple[int, str]:
    """Run the main job on two processes; return exit code and what was said."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = str(SPRINTS / "09_train_gpt2/train.py")
    done = subprocess.run(
        [*command, script, *words], capture_output=True, text=True, timeout=240, check=False, cwd=SPRINTS.parent
    )
    return done.returncode, done.stdout + done.stderr


def test_an_error_of_all_processes_is_one_sentence_said_once(tmp_path: Path):
    text = tmp_path / "book.txt"
    text.write_text("the cat sat on the mat. " * 40, encoding="utf-8")
    sizes = ["--context", "16", "--layers", "1", "--heads", "2", "--d-model", "8", "--tokenizer", "char"]
    code, said = run_by_torchrun(*sizes, "--data", str(text), "--batch-size", "3", "--out", str(tmp_path / "run"))
    assert code
    assert said.count("error: 2 processes share each batch in equal parts, and it has 3 rows") == 1
    assert "main(config)" not in said  # no traceback of ours
    assert not (tmp_path / "run").exists()


def train_until_killed(folder: Path, mode: Any) -> None:
    """Train, while process 1 kills itself in the midst of step 11; called in a group."""
    elastic = by_name("parallel_study.elastic")
    calls, real = [], elastic.exact_loss

    def lose_or_die(model: Any, batch: Any) -> Any:
        calls.append(1)
        if len(calls) == 11 and torch.distributed.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(model, batch)

    elastic.exact_loss = lose_or_die
    elastic.train(folder, mode, 40, 14, 0.0)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a signal of Unix")
def test_a_training_whose_worker_was_killed_ends_with_the_same_bytes(on_processes, tmp_path: Path):
    mode = "fsdp"  # killed_worker.py shows it of DDP
    elastic, killing = by_name("parallel_study.elastic"), by_name("parallel_study.killing")
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    for folder in (calm, killed):
        folder.mkdir()
    on_processes(2, elastic.train, calm, mode, 40, 14, 0.0)
    with pytest.raises(by_name("parallel_study.processes").ProcessFailed):
        on_processes(2, train_until_killed, killed, mode)
    saved = load_checkpoint(killed / elastic.CHECKPOINT)["step"]
    assert saved == 2 * elastic.EVERY
    on_processes(2, elastic.train, killed, mode, 40, 14, 0.0)
    ends = [load_checkpoint(folder / elastic.CHECKPOINT) for folder in (calm, killed)]
    for part in ("model", "optimizers"):
        assert killing.digest(ends[0][part]) == killing.digest(ends[1][part])
    assert ends[0]["extra"] == ends[1]["extra"]
    counts = Counter(ends[1]["extra"]["used"])
    assert sorted(counts) == list(range(40))  # 14 batches of 8 are 2.8 epochs of 40
    assert sorted(Counter(counts.values()).items()) == [(2, 8), (3, 32)]


def test_steps_of_starts_by_the_log():
    log = [(0, 0, step) for step in (1, 2, 3, 4, 5)] + [(0, 1, 1)] + [(1, 0, step) for step in (5, 6, 7, 8)]
    assert by_name("parallel_study.killing").attempts_of(log) == [[1, 5, 4], [5, 8, 8]]


def test_a_digest_sees_one_bit():
    digest = by_name("parallel_study.killing").digest
    state = {"a": torch.zeros(3), "b": [1, 2.0]}
    assert digest(state) == digest({"a": torch.zeros(3), "b": [1, 2.0]})
    assert digest(state) != digest({"a": torch.tensor([0.0, 0.0, 1e-30]), "b": [1, 2.0]})
    assert digest(state) != digest({"a": torch.zeros(3), "b": [1, 2.5]})


def test_note_8_and_exercise_i_three_orders(load_sprint):
    script = load_sprint(f"{SPRINT}/order_by_hand.py")
    found = script.main(script.Config())
    assert (found.forward[-1], found.together, found.backward[-1], found.exact) == (100, 101, 101, 101.2)
    assert found.shares == [[100, 100], [0.4, 0.8]]
    assert "The sum is **100**" in note(8)
    assert "rounded to **101**" in note(8)
    assert [f"{total:,.0f}" for total in found.float32.values()] == ["16,777,216", "16,777,218", "16,777,220"]
    for total in found.float32.values():
        assert f"{total:,.0f}" in note(8)
    other = script.main(script.Config(rows=(100, 0.3, 0.3, 0.3)))
    assert (other.forward[-1], other.together, other.backward[-1], other.exact) == (100, 101, 101, 100.9)
    exercise = script.main(script.Config(rows=(1000, 4, 4, 4)))
    assert (exercise.forward[-1], exercise.together, exercise.backward[-1], exercise.exact) == (1000, 1010, 1010, 1012)
    assert f"The bound is 3 · 0.005 · 1,012 = {3 * 0.005 * 1012:.1f}" in PAGE
    assert abs(exercise.forward[-1] - exercise.exact) <= 3 * 0.005 * 1012
    script.plot(found)


def test_note_8_how_much_a_weak_direction_grows():
    weak = torch.diag(torch.tensor([1.0, 1e-6], dtype=torch.double))
    ends = orthogonalise(weak, (3.4445, -4.775, 2.0315), 5, 1e-7).diag()
    assert ends[1].item() / 1e-6 == pytest.approx(3.4445**5, rel=1e-3)
    assert f"up to 3.4445, all together by up to {3.4445**5:.0f}" in note(8)


def test_note_8_the_bound_of_two_orders():
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        numbers = torch.randn(200, generator=generator)
        exact = numbers.double().sum()
        for order in (numbers, numbers.flip(0)):
            total = torch.zeros(())
            for number in order:
                total = total + number
            assert abs(total.double() - exact) <= 199 * 2**-24 * numbers.double().abs().sum()


def test_note_9_rows_of_two_and_then_three(load_sprint):
    script = load_sprint(f"{SPRINT}/rows_of_processes.py")
    found = script.main(script.Config())
    assert found.seen_twice == {"one stream": [], "own parts": [2, 5, 8, 11]}
    assert found.left_out["one stream"] == []
    assert found.left_out["own parts"] == [12, 13, 14, 15, 16, 17, 20, 23]
    assert "the rows 2, 5, 8 and 11 are read a second time, and of the first 24 rows 12 to 17, 20 and 23" in note(9)
    script.plot(found)
    shards = [len(piece) for piece in torch.arange(11).chunk(3)]
    assert shards == [4, 4, 3]
    assert [len(piece) for piece in torch.arange(11).chunk(4)] == [3, 3, 3, 2]


def test_note_10_and_exercise_j_how_often_to_save(load_sprint):
    script = load_sprint(f"{SPRINT}/how_often_to_save.py")
    found = script.main(script.Config(days=20.0, seeds=2))
    assert f"= {found.best:.0f} seconds" in " ".join(note(10).split("$")).replace("  ", " ")
    assert f"the job loses {found.cost_at_best:.1%}.".replace("%", " %") in note(10)
    assert f"best interval {found.predicted[2]:.1%} is lost".replace("%", " %") in note(10)
    shares = {interval: (5 / interval, interval / 28_800) for interval in (60, 3600, found.best)}
    assert f"the saves take 5/60 = {100 * shares[60][0]:.2f} %" in note(10)
    assert f"60/28,800 = {100 * shares[60][1]:.2f} %" in note(10)
    assert f"{100 * shares[3600][0]:.2f} % and {100 * shares[3600][1]:.1f} %" in note(10)
    assert shares[found.best][0] == pytest.approx(shares[found.best][1])
    assert f"equal, {100 * shares[found.best][0]:.2f} %" in note(10)
    assert statistics.mean(found.simulated[4]) == pytest.approx(found.cost_at_best, rel=0.15)
    best = math.sqrt(2 * 20 * 14_400)
    assert f"= {best:.0f} seconds, twice as long" in note(10)
    assert f"{100 * 20 / best:.2f} % each: {200 * 20 / best:.1f} %" in note(10)
    between = 2000 / 512 * 3600
    for save, form in ((30, "= {:.0f} seconds"), (3, "it is {:.0f} seconds")):
        assert form.format(math.sqrt(2 * save * between)) in PAGE
    assert f"= {100 * math.sqrt(60 / between):.1f} %" in PAGE
    assert f"{100 * math.sqrt(6 / between):.1f} %" in PAGE
    script.plot(found)


def test_exercise_k_what_an_interval_takes_on_average(load_sprint):
    script = load_sprint(f"{SPRINT}/how_often_to_save.py")
    options = script.Config(**script.PRESETS["unreliable"], days=50.0)
    between = 3600 * options.hours
    best = math.sqrt(2 * options.save * between)
    lost = (between + options.restart) * math.expm1((best + options.save) / between) / best - 1
    assert f"{100 * lost:.1f} seconds are lost for each 100" in PAGE
    simulated = [script.simulate(options, best, seed) for seed in range(10)]
    assert statistics.mean(simulated) == pytest.approx(lost, rel=0.03)


def test_options_that_do_not_fit_are_refused(refusal):
    assert "must be a multiple of it" in refusal(f"{SPRINT}/killed_worker.py", "--rows 30")
    assert "must divide --batch-size 6" in refusal(f"{SPRINT}/rows_of_processes.py", "--after 4")
    assert "2 heads" in refusal(f"{SPRINT}/equality.py", "--processes 3")
