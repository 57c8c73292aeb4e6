"""What goes wrong and how fast it is, in sprint 24: faults, the α-β model, launching; and what notes 11 to 13 say."""

import itertools
import math
import re
import shlex
import threading
from typing import Any

import pytest
import torch
import yaml
from lesson_texts import SPRINTS, by_name, importable, lesson_texts, shown
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.run import get_args_parser

SPRINT = "24_distributed_training"
page, note = lesson_texts(SPRINT)
_importable = importable(SPRINT)


def test_eight_faults_and_the_check_of_each_speaks_of_it_alone():
    wrong_beside_right = by_name("wrong_beside_right")
    results = wrong_beside_right.main(wrong_beside_right.Config(steps=5))
    assert len(results.faults) == 8
    for name, fault in results.faults.items():
        assert fault.said_of_wrong, name
        assert not fault.said_of_right, name
    faults = results.faults
    for name in ("mean of means", "parameters averaged in place of gradients", "norm of a shard"):
        assert faults[name].wrong > 0.01 > 1e-12 > faults[name].right, name
    assert faults["validation padded by the sampler"].wrong > 0.01
    assert faults["validation padded by the sampler"].right < 1e-12
    assert (faults["set_epoch forgotten"].wrong, faults["set_epoch forgotten"].right) == (1, 3)
    assert (faults["no_sync entered too late"].wrong, faults["no_sync entered too late"].right) == (4, 1)
    assert faults["random states equal"].wrong == 1
    assert 0.4 < faults["random states equal"].right < 0.6
    assert (faults["saved by every process"].wrong, faults["saved by every process"].right) == (0, 1)
    courses = results.averaged_parameters
    assert max(courses["SGD"] + courses["SGD with momentum"]) < 1e-14
    assert min(courses["Adam"]) > 1e-3
    wrong_beside_right.plot(results)


def gradients_in_pieces() -> list[float]:
    """Return in a process of a group how far gradients of a batch in pieces are from one process's, early and late."""
    faults = by_name("parallel_study.faults")
    one = faults.gradient_of_one_process(faults.new_rows())
    return [faults.away(faults.reduce_in_pieces(late)[1], one) for late in (False, True)]


def test_no_sync_entered_too_late_costs_time_and_nothing_else(on_processes):
    for found in on_processes(2, gradients_in_pieces):
        assert max(found) < 1e-14


def what_checks_say() -> list[str]:
    """Return in a process of a group of two what checks say, of what they must refuse and of what they must not."""
    checks, said = by_name("parallel_study.checks"), by_name("parallel_study.faults").said
    rank = distributed.get_rank()
    model = nn.Linear(2, 2)
    same = said(checks.assert_same_on_all_ranks, model)
    with torch.no_grad():
        model.bias[1] += rank
    normalised = nn.BatchNorm1d(2)
    normalised(torch.randn(4, 2, generator=torch.Generator().manual_seed(rank)))
    sharded = fully_shard(nn.Linear(2, 2), mesh=init_device_mesh("cpu", (2,)))
    try:
        checks.assert_same_on_all_ranks(sharded)
        refused = ""
    except ValueError as error:
        refused = str(error)
    return [
        same,
        said(checks.assert_same_on_all_ranks, model),
        said(checks.assert_same_on_all_ranks, normalised),
        said(checks.assert_same_on_all_ranks, {"step": torch.tensor(3), "rate": 0.1}),
        said(checks.assert_same_on_all_ranks, {"half": torch.full((2,), float(rank), dtype=torch.bfloat16)}),
        said(checks.assert_different_on_all_ranks, torch.tensor([rank])),
        said(checks.assert_each_row_once, [0, 1] if rank else [1, 2], 5),
        said(checks.assert_each_row_once, [0, 2] if rank else [1], 3),
        said(checks.assert_new_order, [1, 2], [1, 2] if rank else [2, 1]),
        said(checks.assert_reductions, 2 + rank, 2),
        said(checks.assert_one_writer, False),
        said(checks.assert_one_writer, rank == 1),
        refused,
        said(checks.assert_same_on_all_ranks, {"shape": torch.zeros(1 + rank, 2 - rank)}),
        said(checks.assert_same_on_all_ranks, {"type": torch.zeros(2, dtype=torch.int32 if rank else torch.float32)}),
        said(checks.assert_same_on_all_ranks, {"step": 1.0, "one more": 2.0} if rank else {"step": 1.0}),
    ]


def test_every_process_is_told_the_same_and_right_things_pass(on_processes):
    first, second = on_processes(2, what_checks_say)
    assert first == second
    weights, statistics, half, rows = first[1], first[2], first[4], first[6]
    assert weights.startswith("bias must be the same")
    assert statistics.startswith("running_mean must be the same")
    assert half.startswith("half must be the same")
    assert "[1] more than once, [3, 4] not at all" in rows
    assert "a step started 3 reductions" in first[9]
    assert "[] would" in first[10]
    assert "full_tensor" in first[12]
    assert first[15] == "one more must be the same in every process, and is missing, 2.0"
    assert [message.split()[0] for message in first[13:]] == ["shape", "type", "one"]
    assert [first[place] for place in (0, 3, 5, 7, 8, 11)] == [""] * 6


def test_note_11_averages_of_weights_by_hand():
    by_hand = by_name("wrong_by_hand")
    results = by_hand.main(by_hand.Config())
    text = note(11)
    for optimizer, name in ((torch.optim.SGD, "SGD"), (torch.optim.Adam, "Adam")):
        stepped = []
        for gradient in (3.0, -1.0, 1.0):
            weight = torch.tensor([1.0], dtype=torch.double, requires_grad=True)
            weight.grad = torch.tensor([gradient], dtype=torch.double)
            optimizer([weight], lr=0.1).step()
            stepped.append(weight.item())
        assert results.own[name] == pytest.approx(stepped[:2], abs=1e-8)
        assert results.parameters_averaged[name] == pytest.approx(sum(stepped[:2]) / 2, abs=1e-8)
        assert results.gradients_averaged[name] == pytest.approx(stepped[2], abs=1e-8)
    assert "| SGD | 0.7 | 1.1 | 0.9 | 0.9 | | Adam | 0.9 | 1.1 | **1.0** | 0.9 |" in text
    assert results.clipped == pytest.approx([0.6, 0.8])
    assert results.clipped_by_shard == [1, 1]
    shown(text, *results.clipped, form=".1f")
    by_hand.plot(results)
    with pytest.raises(ValueError, match="neither may be 0"):
        by_hand.Config(shards=(0.0, 1.0)).check()


def seconds_by_rounds(size: float, processes: int, link: Any) -> float:
    """Return the time of a ring all-reduce, a round at a time: all send a piece at once, and wait for it."""
    clock, holds = 0.0, [[{rank} for _ in range(processes)] for rank in range(processes)]
    for round_number in range(2 * (processes - 1)):
        sent = [(rank, (rank - round_number) % processes) for rank in range(processes)]
        pieces = [set(holds[rank][piece]) for rank, piece in sent]
        for (rank, piece), content in zip(sent, pieces, strict=True):
            holds[(rank + 1) % processes][piece] |= content
        clock += link.latency + size / processes / link.bandwidth
    assert all(piece == set(range(processes)) for own in holds for piece in own)
    return clock


def test_the_ring_of_the_model_is_a_ring():
    model = by_name("parallel_study.alpha_beta")
    link = model.Link(2e-5, 1e10)
    for processes, size in itertools.product((1, 2, 3, 8), (0, 1e3, 2.5e7)):
        assert model.ring_seconds(size, processes, link) == pytest.approx(seconds_by_rounds(size, processes, link))
    assert model.tree_seconds(1e6, 1, link) == 0
    assert model.all_reduce_seconds(1e9, 8, link) == model.ring_seconds(1e9, 8, link)
    assert model.all_reduce_seconds(1e3, 1024, link) == model.tree_seconds(1e3, 1024, link)
    # one GPU to a server is no hierarchy, and one server is a ring
    assert model.hierarchical_seconds(1e6, 4, 1, link, link) == model.all_reduce_seconds(1e6, 4, link)
    assert model.hierarchical_seconds(1e6, 1, 4, link, link) == pytest.approx(model.ring_seconds(1e6, 4, link))


def test_a_step_ends_when_the_last_bucket_has_arrived():
    model = by_name("parallel_study.alpha_beta")
    assert model.step_seconds(3, [2, 4, 6], [3, 3, 3], 6) == 3 + 2 + 9
    assert model.step_seconds(3, [2, 4, 6], [1, 1, 1], 6) == 3 + 6 + 1  # the last one cannot be hidden
    assert model.step_seconds(3, [2, 4, 6], [0, 0, 0], 6) == 9
    assert model.step_seconds(3, [6], [3], 6) == 12
    assert model.step_seconds(1, [2, 4], [1, 1], 9) == 10  # the pass goes on when the last one has arrived
    sizes, ready = model.even_buckets(60.0, 25.0, 6.0)
    assert sizes == [25.0, 25.0, 10.0]
    assert ready == pytest.approx([2.5, 5.0, 6.0])
    assert model.even_buckets(10.0, 25.0, 6.0) == ([10.0], [6.0])


def test_a_link_is_found_again_from_the_times_it_makes():
    model = by_name("parallel_study.alpha_beta")
    sizes = [1024 * 4**power for power in range(9)]
    for processes, link in itertools.product((2, 5), (model.Link(5e-5, 1.5e9), model.Link(0.0, 4e8))):
        found = model.fit_link(sizes, [model.ring_seconds(size, processes, link) for size in sizes], processes)
        assert found.bandwidth == pytest.approx(link.bandwidth)
        assert found.latency == pytest.approx(link.latency, abs=1e-9)
    with pytest.raises(ValueError, match="at least two different sizes, got 1"):
        model.fit_link([10, 10], [1.0, 1.0], 2)
    with pytest.raises(ValueError, match="did not take longer"):
        model.fit_link([10, 1000], [2.0, 1.0], 2)


def test_note_12_a_ring_and_trees_by_hand():
    by_hand = by_name("ring_and_trees")
    results, text = by_hand.main(by_hand.Config()), note(12)
    for count in ("8", "1024"):
        found = results.reductions[count]
        shown(text, found.ring_latency, found.ring_bytes, found.ring_latency + found.ring_bytes, form=".2f")
        shown(text, found.trees_latency + found.trees_bytes, form=".2f")
    by_hand.plot(results)


def test_published_efficiencies_lie_between_both_predictions():
    published = by_name("published_figures")
    results = published.main(published.Config())
    assert results.between == len(results.figures) == 4
    goyal = by_name("parallel_study.published").PUBLISHED["ResNet-50"]
    assert goyal.gradient == 100e6  # section 4.3 of the paper
    assert goyal.gradient * 2 / goyal.backward * 8 / 1e9 == pytest.approx(13.3, abs=0.05)  # Gbit/s that they need
    published.plot(results)


def test_a_fixed_batch_stops_to_scale_and_a_growing_one_goes_on():
    many = by_name("many_gpus")
    results = many.main(many.Config(gpus=(8, 64, 1024)))
    weak, strong = list(results.weak.values()), list(results.strong.values())
    assert weak[-1].efficiency_overlapped > 0.95 > 0.5 > strong[-1].efficiency_overlapped
    assert all(step.at_the_end >= step.overlapped >= step.compute for step in weak + strong)
    assert strong[1] == weak[1]  # 64 GPUs with 8,192 tokens each, both times
    assert results.one_ring["1024"] > weak[-1].reduction
    many.plot(results)
    with pytest.raises(ValueError, match=r"whole servers of 8.*\[12\]"):
        many.Config(gpus=(8, 12)).check()


def test_scaling_and_the_link_are_measured_tiny():
    scaling, link = by_name("scaling"), by_name("latency_and_bandwidth")
    config = scaling.Config(rows=2, context=8, layers=1, d_model=8, vocab_size=16, steps=1, rounds=1)
    found = scaling.main(config)
    assert set(found.ways) == {scaling.ONE, scaling.THREADS, scaling.STRONG, scaling.WEAK}
    assert found.ways[scaling.ONE].speedup == 1
    assert found.ways[scaling.ONE].reduction_milliseconds == 0 < found.ways[scaling.WEAK].reduction_milliseconds
    scaling.plot(found)
    results = link.main(link.Config(kilobytes=(1, 16384), repeats=3))
    assert results.gigabytes_per_second > 0
    link.plot(results)
    for wrong, words in ((scaling.Config(rows=3), "even"), (link.Config(processes=1), "2 or more")):
        with pytest.raises(ValueError, match=words):
            wrong.check()
    with pytest.raises(ValueError, match="two sizes"):
        link.Config(kilobytes=(4,)).check()


def test_options_that_cannot_be_met_are_refused(refusal):
    for words, said in (
        ("many_gpus.py --parameters 1e30", "give a larger --bucket"),
        ("many_gpus.py --gpus 12", "whole servers of 8"),
        ("latency_and_bandwidth.py --processes 1", "--processes 2 or more"),
        ("latency_and_bandwidth.py --kilobytes 1 2000000", "at most 1048576"),
        ("scaling.py --d-model 3", "--d-model 4"),
        ("several_machines.py --machines 9 --processes 9", "not 9 times 9"),
        ("wrong_by_hand.py --weight nan", "finite"),
        ("ring_and_trees.py --processes 1", "greater than or equal to 2"),
    ):
        name, options = words.split(maxsplit=1)
        assert said in " ".join(refusal(f"{SPRINT}/{name}", options).split()), words


def test_the_batch_script_of_slurm_brings_two_machines_together():
    answers = by_name("parallel_study.loopback").by_slurm(2, 1)
    assert [(answer["rank"], answer["size"], answer["sum_of_ranks"]) for answer in answers] == [(0, 2, 1), (1, 2, 1)]
    assert {answer["machine"] for answer in answers} == {0, 1}


def test_kubernetes_gives_torchrun_what_it_needs():
    documents = list(
        yaml.safe_load_all((SPRINTS / SPRINT / "parallel_study/launch/train.yaml").read_text(encoding="utf-8"))
    )
    service, job = documents
    name = job["metadata"]["name"]
    assert service["spec"]["selector"] == {"job-name": name}
    assert service["metadata"]["name"] == job["spec"]["template"]["spec"]["subdomain"]
    assert job["spec"]["completionMode"] == "Indexed"
    pod = job["spec"]["template"]["spec"]["containers"][0]
    arguments = get_args_parser().parse_args(pod["args"])
    assert arguments.rdzv_endpoint.split(":")[0] == f"{name}-0.{service['metadata']['name']}"
    assert int(arguments.nnodes) == job["spec"]["completions"] == job["spec"]["parallelism"]
    assert int(arguments.nproc_per_node) == pod["resources"]["limits"]["nvidia.com/gpu"]
    assert (SPRINTS.parent / arguments.training_script).exists()
    assert {mount["name"] for mount in pod["volumeMounts"]} == {
        volume["name"] for volume in job["spec"]["template"]["spec"]["volumes"]
    }


def test_note_13_shows_the_batch_script_as_it_is():
    file = (SPRINTS / SPRINT / "parallel_study/launch/train.sbatch").read_text(encoding="utf-8")
    (path,) = (SPRINTS / SPRINT / "notes").glob("13_*.md")
    (block,) = re.findall(r"```bash\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    assert file.endswith(block)
    assert "| head" not in file  # with pipefail a pipe that is closed early ends the script, now and then


def test_torchrun_understands_every_line_of_note_13():
    (path,) = (SPRINTS / SPRINT / "notes").glob("13_*.md")
    text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if re.match(r"\s*(uv run )?(--no-sync )?torchrun --", line)]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line)
        arguments = get_args_parser().parse_args(words[words.index("torchrun") + 1 :])
        assert arguments.training_script.endswith(".py"), line


def test_machines_that_do_not_meet_end_in_a_sentence():
    loopback = by_name("parallel_study.loopback")
    with pytest.raises(RuntimeError, match="ended with 3"):
        loopback.answers([["bash", "-c", "echo no >&2; exit 3"]], {}, 10)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match=r"within 0\.2 seconds"):
        loopback.answers([["sleep", "60"]], {}, 0.2)
    assert threading.active_count() <= before


def test_paper_exercises_of_what_goes_wrong_and_how_fast():
    for optimizer, right in ((torch.optim.SGD, True), (torch.optim.Adam, False)):
        stepped = []
        for gradient in (2.0, -4.0, -1.0):
            weight = torch.zeros(1, dtype=torch.double, requires_grad=True)
            weight.grad = torch.tensor([gradient], dtype=torch.double)
            optimizer([weight], lr=0.1).step()
            stepped.append(weight.item())
        assert math.isclose(sum(stepped[:2]) / 2, stepped[2], abs_tol=1e-7) == right
    assert "SGD: −0.2 and 0.4, mean 0.1" in page.replace("-", "−")
    model = by_name("parallel_study.alpha_beta")
    moved = [1e3 * model.ring_seconds(1e9, 16, model.Link(0.0, bandwidth)) for bandwidth in (3e9, 12e9)]
    assert [round(time) for time in moved] == [625, 156]
    steps = [300 + moved[0], 300 + moved[1], 100 + moved[0]]
    assert [round(step) for step in steps] == [925, 456, 725]
    assert [f"{300 / step:.0%}" for step in steps] == ["32%", "66%", "41%"]
    for words in ("625 ms or 156 ms", "925 or 456 ms", "32 % to 41 %"):
        assert words in page
    assert f"{725 / 300:.1f} times as many steps" in page
