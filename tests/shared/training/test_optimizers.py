"""Who moves which weight: Muon the matrices of the blocks, AdamW the rest; matrices decay."""

import pytest
import torch
from torch import nn
from torch.optim import AdamW
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.trainer_pt_utils import get_parameter_names

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import pad_rows
from shared.training.losses import next_token_loss
from shared.training.optimizers import decay_groups, hidden_matrices, make_optimizers, split_for_muon


def make_model() -> GPT:
    config = GPTConfig(vocab_size=11, context=16, layers=2, heads=2, d_model=8, dropout=0.0)
    return GPT(config, torch.Generator().manual_seed(0))


def theirs() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=8, n_head=2, vocab_size=11, n_positions=8))


def test_every_parameter_moves_with_muon_too():
    before, model = make_model(), make_model()
    tokens, mask = pad_rows([[1, 2, 3, 4, 5], [3, 1, 2]])
    optimizers = make_optimizers(model, learning_rate=1e-2, muon_learning_rate=1e-2)
    for _ in range(2):  # at first the output of each block is nothing, so nothing before it moves
        model.zero_grad()
        next_token_loss(model(tokens), tokens, mask).backward()
        for optimizer in optimizers:
            optimizer.step()
    for (name, old), new in zip(before.named_parameters(), model.parameters(), strict=True):
        assert not torch.equal(old, new), name


def test_muon_gets_the_matrices_of_the_blocks_and_adam_the_rest():
    model = make_model()
    adam, muon = make_optimizers(model, learning_rate=1e-2, muon_learning_rate=1e-2, weight_decay=0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    hidden = {names[id(weight)] for group in muon.param_groups for weight in group["params"]}
    assert hidden == {f"blocks.{layer}.{part}.weight" for layer in (0, 1) for part in (
        "attention.qkv", "attention.output", "feed_forward.expand", "feed_forward.contract",
    )}  # fmt: skip
    assert len(hidden_matrices(model)) == 8
    decayed, free = adam.param_groups
    assert {names[id(weight)] for weight in decayed["params"]} == {"token_embedding.weight", "positions.weight"}
    assert all(parameter.dim() == 1 for parameter in free["params"])
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)
    assert sum(len(group["params"]) for group in (*adam.param_groups, *muon.param_groups)) == len(names)
    assert [group["weight_decay"] for group in muon.param_groups] == [0.1]
    assert adam.defaults["fused"]


def test_muon_moves_every_direction_of_a_matrix_equally():
    weight = nn.Parameter(torch.zeros(6, 6))
    model = nn.ModuleList([nn.Linear(6, 6, bias=False)])
    model[0].weight = weight
    (_, muon) = make_optimizers(model, learning_rate=1.0, muon_learning_rate=1.0)
    weight.grad = torch.diag(torch.tensor([100.0, 30.0, 10.0, 3.0, 1.0, 0.3]))
    muon.step()
    assert torch.linalg.svdvals(weight.detach()).min() > 0.5, "the gradient's singular values differ by a factor of 300"


def test_the_matrices_of_transformers_gpt2_are_hidden_ones_too():
    model = theirs()  # whose layers are no nn.Linear but Conv1D
    names = {id(weight): name for name, weight in model.named_parameters()}
    expected = [f"transformer.h.{layer}.{part}.weight" for layer in (0, 1) for part in (
        "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj",
    )]  # fmt: skip
    assert [names[id(weight)] for weight in hidden_matrices(model)] == expected


def test_an_embedding_inside_a_block_and_frozen_weights_are_left_to_others():
    block = nn.ModuleDict({"positions": nn.Embedding(4, 6), "layer": nn.Linear(6, 6), "frozen": nn.Linear(6, 6)})
    block["frozen"].requires_grad_(False)
    hidden, rest = split_for_muon(nn.ModuleList([block]))
    assert [id(weight) for weight in hidden] == [id(block["layer"].weight)]
    assert {id(weight) for weight in rest} == {id(block["positions"].weight), id(block["layer"].bias)}


def test_the_same_weights_decay_as_in_transformers_trainer():
    model = theirs()
    decayed, free = decay_groups(model.parameters(), 0.1)
    names = {id(weight): name for name, weight in model.named_parameters()}
    by_trainer = get_parameter_names(model, [nn.LayerNorm], ["bias", "layernorm", "rmsnorm", r"(?:^|\.)norm(?:$|\.)"])
    by_trainer = {name for name in by_trainer if name in names.values()}  # the tied head has one name more
    assert {names[id(weight)] for weight in decayed["params"]} == by_trainer
    assert {id(weight) for weight in free["params"]} == set(names) - {id(weight) for weight in decayed["params"]}
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_without_a_rate_for_muon_adamw_has_every_weight():
    model = make_model()
    (adam,) = make_optimizers(model, learning_rate=1e-2, betas=(0.5, 0.6))
    assert isinstance(adam, AdamW)
    assert {id(weight) for group in adam.param_groups for weight in group["params"]} == set(map(id, model.parameters()))
    assert [(group["betas"], group["weight_decay"]) for group in adam.param_groups] == [((0.5, 0.6), 0.0)] * 2
    assert adam.defaults["fused"], "one pass over the weights instead of several"


def test_a_model_without_blocks_has_nothing_for_muon():
    with pytest.raises(ValueError, match="empty parameter list"):
        make_optimizers(nn.Linear(2, 2), learning_rate=1e-2, muon_learning_rate=1e-2)
