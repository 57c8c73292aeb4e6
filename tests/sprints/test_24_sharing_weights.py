"""Sharing weights, in sprint 24: stages, sharded training, split matrices, a pipeline; and what notes 4 to 7 say."""

from typing import Any

import pytest
import torch
from lesson_texts import SPRINTS, by_name, importable, lesson_texts, shown
from torch import Tensor, distributed, nn
from torch.distributed import pipelining
from torch.distributed.fsdp import fully_shard
from torch.nn import functional

from shared.nn.gpt import GPT, GPTConfig
from shared.training.loop import train_steps
from shared.training.optimizers import decay_groups, split_for_muon
from shared.training.parallel import Ranks, present, spread

SPRINT = "24_distributed_training"
page, note = lesson_texts(SPRINT)
_importable = importable(SPRINT)
SIZE = GPTConfig(vocab_size=53, context=8, layers=2, heads=6, d_model=12, dropout=0.0, tie_weights=False)
COUNT = GPT(GPTConfig(64, 16, 2, 4, 16)).parameter_count()
TOKENS = [torch.randint(53, (12, 9), generator=torch.Generator().manual_seed(step)) for step in range(2)]


def fresh() -> GPT:
    return GPT(SIZE, torch.Generator().manual_seed(0)).double()


def summed_loss(model: Any, tokens: Tensor) -> tuple[Tensor, int]:
    targets = tokens[:, 1:]
    return functional.cross_entropy(model(tokens[:, :-1]).mT, targets, reduction="sum"), targets.numel()


def trained(gpt: GPT) -> GPT:
    """Train with Muon and AdamW, the gradient clipped, by the loop that knows nothing of processes."""
    hidden, rest = split_for_muon(gpt)
    muon = by_name("parallel_study.sharded_muon").ShardedMuon(hidden, lr=2e-2, weight_decay=0.1)
    optimizers = [torch.optim.AdamW(decay_groups(rest, 0.1), lr=1e-2, fused=True), muon]
    steps = train_steps(
        gpt, iter(TOKENS), loss_function=summed_loss, optimizers=optimizers, steps=len(TOKENS), clip=0.3
    )
    assert len(list(steps)) == len(TOKENS)
    return gpt


def farthest(weights: dict[str, Tensor], others: dict[str, Tensor]) -> float:
    assert weights.keys() == others.keys()
    return max((weights[name] - others[name]).abs().max().item() for name in weights)


def whole(model: nn.Module) -> dict[str, Tensor]:
    return {name: getattr(weight, "full_tensor", weight.detach)() for name, weight in model.named_parameters()}


def split_and_one(ranks: Ranks) -> dict[str, Any]:
    """Return how far split GPTs are from one process's, and that of FSDP2 with Muon on shards."""
    split = by_name("parallel_study.tensor_parallel")
    mesh = distributed.device_mesh.init_device_mesh("cpu", (ranks.size,))
    one, found = fresh(), {}
    loss, _ = summed_loss(one, TOKENS[0])
    loss.backward()
    expected = {name: weight.grad for name, weight in one.named_parameters()}
    for name, gpt in (("hand", split.split_blocks(fresh(), ranks)), ("torch", split.parallelize_blocks(fresh(), mesh))):
        found[f"{name}: restored"] = farthest(split.whole_weights(gpt, ranks), whole(fresh()))
        with by_name("parallel_study.traffic").Traffic() as traffic:
            own_loss, _ = summed_loss(gpt, TOKENS[0])
            own_loss.backward()
        found[f"{name}: loss"] = abs(own_loss.item() - loss.item())
        found[f"{name}: calls"] = dict(traffic.calls)
        with torch.no_grad():  # so that the same function gathers gradients
            for weight in gpt.parameters():
                weight.copy_(weight.grad)
        found[f"{name}: gradients"] = farthest(split.whole_weights(gpt, ranks), expected)
    reference = whole(trained(fresh()))
    split_gpt = trained(split.parallelize_blocks(fresh(), mesh))
    found["torch: trained"] = farthest(split.whole_weights(split_gpt, ranks), reference)
    sharded = spread(fresh(), "fsdp", torch.device("cpu"))
    found["Muon on rows: trained"] = farthest(whole(trained(sharded)), reference)  # all have the whole batch
    return found


def shared_and_one(ranks: Ranks) -> dict[str, Any]:
    """Return how far training with shared states is from that of one process, and what is left of gradients."""
    sharing, found = by_name("parallel_study.sharing"), {}

    def make(weights: Any) -> torch.optim.Optimizer:
        return torch.optim.AdamW(weights, lr=1e-2)

    one = fresh()
    optimizer = make(one.parameters())
    for tokens in TOKENS:
        optimizer.zero_grad()
        loss, count = summed_loss(one, tokens)
        (loss / count).backward()
        optimizer.step()
    for stage in (1, 2):
        gpt = fresh()
        shares = sharing.SharedStates(gpt.parameters(), make, stage)
        for tokens in TOKENS:
            for half in tokens.chunk(2):  # accumulated
                own = half[ranks.rank :: ranks.size]
                loss, count = summed_loss(gpt, own)
                (loss / count / 2).backward()
            found[f"{stage}: gradients left"] = sum(weight.grad is not None for weight in gpt.parameters())
            shares.step()
        found[f"{stage}: weights"] = farthest(whole(gpt), whole(one))
        states = [value.numel() for state in shares.optimizer.state.values() for value in state.values() if value.dim()]
        found[f"{stage}: states"] = sum(states) / sum(weight.numel() for weight in gpt.parameters()) / 2
    return found


def gathered_layer(ranks: Ranks) -> dict[str, Any]:
    """Return gradients by hand, from `fully_shard`, and the shapes that are kept for the backward pass."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(2 * ranks.size, 3, generator=generator)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(ranks.rank))
    own_rows = weight.chunk(ranks.size)[ranks.rank].clone().requires_grad_()
    kept: list[tuple[int, ...]] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(tuple(t.shape)) or t, lambda t: t):
        output = by_name("parallel_study.sharing").gathered_linear(x, own_rows)
    output.square().sum().backward()
    layer = nn.Linear(3, 2 * ranks.size, bias=False)
    layer.weight.data.copy_(weight)
    mesh = distributed.device_mesh.init_device_mesh("cpu", (ranks.size,))
    fully_shard(layer, mesh=mesh)
    layer(x).square().sum().backward()
    theirs: Any = layer.weight.grad
    return {
        "output": (output - x @ weight.T).abs().max().item(), "kept": kept,
        "gradient": (own_rows.grad - theirs.to_local()).abs().max().item(),
    }  # fmt: skip


def uneven_muon(ranks: Ranks) -> float:
    """Return how far Muon is from one process's on a matrix of 5 rows, which no number of processes divides."""
    generator = torch.Generator().manual_seed(3)
    layers = [nn.Linear(7, 5, bias=False).double() for _ in range(2)]
    layers[1].load_state_dict(layers[0].state_dict())
    distributed.broadcast(layers[0].weight.detach(), 0)
    layers[1].load_state_dict(layers[0].state_dict())
    mesh = distributed.device_mesh.init_device_mesh("cpu", (ranks.size,))
    fully_shard(layers[1], mesh=mesh)
    muons = [by_name("parallel_study.sharded_muon").ShardedMuon(layer.parameters(), lr=0.1) for layer in layers]
    for _ in range(3):
        x = torch.randn(4, 7, generator=generator, dtype=torch.float64)
        for layer, muon in zip(layers, muons, strict=True):
            muon.zero_grad()
            layer(x).square().sum().backward()
            muon.step()
    return farthest(whole(layers[1]), whole(layers[0]))


def in_group() -> dict[str, Any]:
    """Do everything that needs a group, as one of its processes."""
    ranks = present()
    if ranks.size == 3:
        return {
            "split": split_and_one(ranks), "shared": shared_and_one(ranks), "layer": gathered_layer(ranks),
            "uneven": uneven_muon(ranks),
        }  # fmt: skip
    pipeline, stages = by_name("pipeline_measured"), by_name("stages_measured")
    muon, split = by_name("muon_measured"), by_name("split_measured")
    return {
        "pipeline": pipeline.all_ways(pipeline.Config(micro_batches=(4,), rows=2, tokens=6, layers=2, d_model=16)),
        "interleaved": interleaved_by_torch(ranks),
        "stages": {way: stages.measure(way, stages.Config(layers=2, d_model=16, repeats=1), COUNT) for way in "023"},
        "muon": muon.three_ways(muon.Config(rows=32, columns=8)),
        "split script": split.compare(split.Config(layers=1, d_model=16, rows=2, tokens=8, steps=1)),
    }


def interleaved_by_torch(ranks: Ranks) -> list[tuple[str, int | None, int]]:
    """Return the order in which PyTorch's interleaved 1F1B works in this process."""
    part = by_name("parallel_study.pipeline").Part
    config = GPTConfig(53, 8, 6, 1, 4, dropout=0.0, tie_weights=False)
    gpt = GPT(config)
    numbers = [ranks.rank + ranks.size * chunk for chunk in range(3)]
    stages: list[Any] = [
        pipelining.PipelineStage(part(gpt, number, 6), number, 6, torch.device("cpu")) for number in numbers
    ]
    order = pipelining.ScheduleInterleaved1F1B(stages, 6).pipeline_order[ranks.rank]
    return [
        (str(work.computation_type.name).removeprefix("FULL_")[0], work.microbatch_index, work.stage_index)
        for work in order
        if work
    ]


@pytest.fixture(scope="module")
def groups() -> dict[int, list[Any]]:
    on_processes = by_name(
        "parallel_study.processes"
    ).on_processes  # once for the module, as no fixture of a test can be
    return {size: on_processes(size, in_group) for size in (2, 3)}


def test_split_gpts_are_one_gpt(groups):
    for returned in groups[3]:
        found = returned["split"]
        for name in ("hand", "torch"):
            assert found[f"{name}: restored"] == 0
            assert found[f"{name}: loss"] < 1e-12
            assert found[f"{name}: gradients"] < 1e-12
            # Two sums a block there, two back.
            assert found[f"{name}: calls"] == {"all-reduce": 4 * SIZE.layers}
        assert found["torch: trained"] < 1e-9


def test_muon_on_shards_is_muon_of_one_process(groups):
    for returned in groups[3]:
        assert returned["split"]["Muon on rows: trained"] < 1e-9
        assert returned["uneven"] < 1e-12


def test_shared_states_train_as_one_process_does(groups):
    for rank, returned in enumerate(groups[3]):
        found = returned["shared"]
        for stage in (1, 2):
            assert found[f"{stage}: weights"] < 1e-9
            assert found[f"{stage}: states"] == pytest.approx(1 / 3, rel=0.01), rank
        assert found["1: gradients left"] > 0
        assert found["2: gradients left"] == 0


def test_a_gathered_layer_is_that_of_fully_shard_and_keeps_no_whole_weight(groups):
    for returned in groups[3]:
        found = returned["layer"]
        assert found["output"] == 0
        assert found["gradient"] < 1e-5
        assert sorted(found["kept"]) == [(2, 3), (5, 3)]


def test_a_pipeline_is_one_process_and_1f1b_keeps_fewer_outputs(groups):
    first, last = (returned["pipeline"] for returned in groups[2])
    for key, (loss, expected, off, _, _) in last.items():
        assert loss == pytest.approx(expected, abs=1e-12), key
        assert max(off, first[key][2]) < 1e-12, key
    assert [first[4, name][3] for name in ("GPipe", "1F1B")] == [4, 2]
    assert [last[4, name][3] for name in ("GPipe", "1F1B")] == [4, 1]
    assert first[4, "1F1B"][4] < first[4, "GPipe"][4]


def test_orders_are_those_of_pytorch(groups):
    interleaved = by_name("parallel_study.schedules").interleaved
    for rank, returned in enumerate(groups[2]):
        ours = [(kind, micro, part) for kind, micro, part in interleaved(rank, 2, 6, 3)]
        assert ours == returned["interleaved"]


def test_scripts_find_what_they_say(groups):
    found = groups[2][0]
    for way, row in found["stages"].items():
        assert row.weights + row.gradients + row.states == pytest.approx(row.predicted, rel=0.01), way
    sent = {way: sum(row.sent.values()) for way, row in found["stages"].items()}
    assert sent["0"] == pytest.approx(1)
    assert sent["2"] == pytest.approx(1, rel=0.01)
    assert 1 < sent["3"] <= 1.5
    losses = [row.loss for row in found["stages"].values()]
    assert losses == pytest.approx([losses[0]] * len(losses), rel=1e-6)
    muon = found["muon"]
    assert muon["gathered"].off == 0
    assert muon["each product over all"].off < 1e-12
    assert muon["shards alone"].off > 0.01
    assert muon["gathered"].calls == 1 < muon["PyTorch's Muon, bfloat16"].calls
    for way in found["split script"].values():
        assert way.weights_off < 1e-9
        assert way.norm < way.norm_of_one  # of the own numbers alone
    assert found["split script"]["by hand"].sent == 4 * 8 * 2 * 8 * 16


def test_an_optimizer_of_whole_matrices_is_shared_muon():
    muon, steps = by_name("parallel_study.sharded_muon").ShardedMuon, 3
    matrices = [nn.Parameter(torch.arange(12.0, dtype=torch.float64).reshape(4, 3).sin()) for _ in range(2)]
    optimizers = [
        muon(matrices[:1], lr=0.1, weight_decay=0.1),
        torch.optim.Muon(matrices[1:], lr=0.1, weight_decay=0.1),
    ]
    for _ in range(steps):
        for weight, optimizer in zip(matrices, optimizers, strict=True):
            weight.grad = weight.detach().cos()
            optimizer.step()
    torch.testing.assert_close(*matrices, rtol=0, atol=0.02)  # PyTorch's is in bfloat16
    assert (matrices[0] - torch.arange(12.0, dtype=torch.float64).reshape(4, 3).sin()).abs().max() > 0.1
    assert optimizers[0].state_dict().keys() == optimizers[1].state_dict().keys()


@pytest.mark.parametrize(("size", "micros"), [(2, 2), (2, 8), (4, 8), (3, 12), (8, 8)])
def test_bubbles_are_those_of_the_formula(size, micros):
    schedules = by_name("parallel_study.schedules")
    for name, chunks in (("GPipe", 1), ("1F1B", 1), ("interleaved", 2), ("interleaved", 3)):
        orders = schedules.orders_of(name, size, micros, chunks)
        every = [work for order in orders for work in order]
        assert len(set(every)) == len(every) == 2 * micros * size * chunks
        done = schedules.timed(orders, 1 / chunks, 2 / chunks)
        assert schedules.bubble(done) == pytest.approx((size - 1) / (chunks * micros + size - 1))
    waiting = [schedules.most_waiting(order) for order in schedules.orders_of("1F1B", size, micros)]
    assert waiting == [min(size - rank, micros) for rank in range(size)]


def test_orders_that_cannot_be_done_are_refused():
    schedules = by_name("parallel_study.schedules")
    first, second = schedules.orders_of("1F1B", 2, 2)
    with pytest.raises(ValueError, match="never end"):
        schedules.timed([first[::-1], second])
    with pytest.raises(ValueError, match="groups of 4"):
        schedules.interleaved(0, 4, 6, 2)
    with pytest.raises(ValueError, match="GPipe, 1F1B or interleaved"):
        schedules.orders_of("2F2B", 2, 2)


def test_what_cannot_be_cut_is_refused(refusal):
    split, part = by_name("parallel_study.tensor_parallel"), by_name("parallel_study.pipeline").Part
    with pytest.raises(ValueError, match="4 processes cannot have equal parts of 6 heads"):
        split.split_blocks(fresh(), Ranks(0, 4))
    with pytest.raises(ValueError, match="tie_weights=False"):
        part(GPT(GPTConfig(10, 4, 2, 1, 4)), 0, 2)
    with pytest.raises(ValueError, match="2 blocks cannot be dealt out to 3"):
        part(fresh(), 0, 3)
    assert "groups of 4" in refusal(f"{SPRINT}/schedules_by_hand.py", "--micro-batches 6")
    assert "8 heads" in refusal(f"{SPRINT}/split_measured.py", "--processes 3")
    assert "equal parts of 256" in refusal(f"{SPRINT}/muon_measured.py", "--processes 3")
    assert "on one line" in refusal(f"{SPRINT}/muon_by_hand.py", "--first 1 2 --second 2 4")
    assert "1, 2 or 4" in refusal(f"{SPRINT}/split_by_hand.py", "--processes 3")


def test_note_4_counts_bytes_as_the_formula_does():
    stages, text = by_name("parallel_study.stages"), note(4)
    mixed = stages.PRECISIONS["mixed"]
    assert [stages.shared(mixed, stage, 8).total for stage in stages.STAGES] == [16, 5.5, 3.75, 2]
    for row in ("| 12 | 16 |", "| 12 / 8 = 1.5 | 5.5 |", "| 1.5 | 3.75 |", "| 0.25 | 1.5 | 2 |"):
        assert row in text
    published = [7.5 * stages.shared(mixed, stage, 64).total for stage in stages.STAGES]
    assert published == pytest.approx([120, 31.4, 16.6, 1.9], abs=0.05)
    assert "120 GB without sharing, and then 31.4, 16.6 and 1.9 GB" in text
    with torch.device("meta"):
        assert stages.MODELS["GPT-2 small"] == GPT(GPTConfig()).parameter_count()
    assert stages.MODELS["Llama 2 7B"] == 6_738_415_616
    assert f"{1.5576 * stages.shared(mixed, 2, 4).total:.1f} GB" == "8.6 GB"
    assert "8.6 GB" in text
    # 13 billion at stage 1: 52.1 GB are in every process, and the rest is shared by six.
    assert stages.fewest_processes(stages.MODELS["Llama 2 13B"], mixed, 1, 80e9) == 6
    for stage in stages.STAGES:
        count = stages.fewest_processes(10**9, mixed, stage, 5e9)
        if count is not None:
            assert stages.shared(mixed, stage, count).total <= 5
            assert count == 1 or stages.shared(mixed, stage, count - 1).total > 5
    assert stages.fewest_processes(10**9, mixed, 0, 15e9) is None


def test_note_5_works_out_what_its_scripts_do():
    text, by_hand = note(5), by_name("gathered_by_hand")
    weight, inputs, slopes = (torch.tensor(rows) for rows in (by_hand.WEIGHT, by_hand.INPUTS, by_hand.SLOPES))
    assert (inputs @ weight.T).tolist() == [[3, 2], [2, 6]]
    gradients = slopes[:, :, None] * inputs[:, None, :]
    assert gradients.tolist() == [[[1, 1], [0, 0]], [[2, 0], [4, 0]]]
    assert gradients.mean(dim=0).tolist() == [[1.5, 0.5], [2, 0]]
    assert (weight - 0.5 * gradients.mean(dim=0)).tolist() == [[0.25, 1.75], [2, -1]]
    for words in (
        "(3, 2)",
        "(2, 6)",
        "((1, 1), (0, 0))",
        "((2, 0), (4, 0))",
        "((1.5, 0.5), (2, 0))",
        "(0.25, 1.75) and (2, −1)",
    ):
        assert words in text
    muon = by_name("muon_by_hand")
    results = muon.main(muon.Config())
    assert results.whole == [pytest.approx([0.8, 0.6]), pytest.approx([-0.6, 0.8])]
    assert results.product_whole == pytest.approx(0, abs=1e-12)
    shown(text, results.product_alone, results.largest_alone, results.rows_alone[0][0])


def test_note_6_works_out_what_its_script_does():
    text, split = note(6), by_name("split_by_hand")
    results = split.main(split.Config())
    assert results.output == results.whole == [4, -1]
    assert results.partial == [[1, 2], [3, -3]]
    assert results.wrong == [1, 2, 3, 1]
    assert results.cut_by_inputs == [[1, 0, 1, 1], [0, 2, 2, -2]]
    for words in ("(1, 2). Process 1", "(3, −3)", "(4, −1)", "(1, 0, 1, 1)", "(0, 2, 2, −2)", "(1, 2, 3, −1)"):
        assert words in text
    assert split.main(split.Config(processes=4)).output == [4, -1]
    buffer = 4 * 8 * 1024 * 768
    shown(text, buffer / 1e6, 48 * buffer / 1e9, form=".1f")


def test_note_7_counts_what_its_script_does():
    text, script = note(7), by_name("schedules_by_hand")
    results = script.main(script.Config())
    for name in ("GPipe", "1F1B"):
        schedule = results.schedules[name]
        assert max(own[-1].end for own in schedule.steps) == 33
        assert schedule.idle == pytest.approx(9 / 33)
    assert "24 + 3 + 6 = **33**" in text
    assert "**27 %**" in text
    assert 7 / (63 + 7) >= 0.1 > 7 / (64 + 7)
    assert 7 / (4 * 15 + 7) >= 0.1 > 7 / (4 * 16 + 7)
    shown(text, 4 * 1024 * 768 / 1e6, form=".1f")


@pytest.mark.parametrize(
    "name", ["stages_by_hand", "gathered_by_hand", "muon_by_hand", "split_by_hand", "schedules_by_hand"]
)
def test_drawings_can_be_drawn(name):
    script = by_name(name)
    if name == "gathered_by_hand":
        results = script.Results(
            [[3, 2], [2, 6]], [[[1, 1], [0, 0]], [[2, 0], [4, 0]]], [[1, 0], [2, 0]], [], [[0, 1], [2, -1]]
        )
    else:
        results = script.main(script.Config())
    assert script.plot(results).axes


def test_exercises_on_paper():
    stages = by_name("parallel_study.stages")
    mixed = stages.PRECISIONS["mixed"]
    assert [stages.fewest_processes(30 * 10**9, mixed, stage, 60e9) for stage in (1, 2, 3)] == [None, None, 8]
    assert [3 * 7 / 8 * 60, 2 * 7 / 8 * 60] == [157.5, 105]
    for words in ("8 cards", "= 157.5 GB", "= 105 GB"):
        assert words in page
    parameters = 48 * 12 * 8192**2
    features = 2 * 16 * 4096 * 8192 / 1e9
    shown(page, parameters / 1e9, form=".2f")
    shown(page, 2 * parameters / 1e9, 3 * 7 / 8 * 2 * parameters / 1e9, 4 * 48 * 2 * 7 / 8 * features, form=".1f")
    shown(page, features)
    assert 3 * 12 * 8192 / 8 == 36_864
    assert "36,864 tokens" in page


def test_note_7_quotes_the_middle_of_run_order():
    code = (SPRINTS / SPRINT / "parallel_study" / "pipeline.py").read_text(encoding="utf-8")
    (path,) = (SPRINTS / SPRINT / "notes").glob("07_*.md")
    quoted = path.read_text(encoding="utf-8").split("run_order`")[1].split("```")[1].removeprefix("python")
    for line in quoted.splitlines():
        assert line.strip() in {*(own.strip() for own in code.splitlines()), "..."}
