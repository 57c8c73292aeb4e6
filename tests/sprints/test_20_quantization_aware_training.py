"""What holds for the sprint as a whole: a model with rounded weights is a language model, and all of it learns."""

import pytest
import torch
from torch.nn import functional

from shared.checks.invariants import check_causality
from shared.nn.gpt import GPT, GPTConfig

FOLDER = "20_quantization_aware_training"


@pytest.mark.parametrize("bits", [8, 4, 2, "ternary"])
def test_a_prepared_gpt_looks_back_only_and_all_of_it_learns(load_sprint, bits):
    prepare, convert = (load_sprint(f"{FOLDER}/aware/{name}.py") for name in ("prepare", "convert"))
    torch.manual_seed(0)
    model = GPT(GPTConfig(11, 16, 2, 2, 16, dropout=0.0))
    tokens = torch.randint(11, (4, 9))
    prepare.prepare(model, prepare.AwareConfig(bits, group=8, learned=bits != "ternary"))
    check_causality(model.eval(), tokens, vocab_size=11)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(prepare.parameter_groups(model), lr=1e-2)
    losses = []
    for _ in range(12):
        loss = functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 1.2
    assert not [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])]
    check_causality(convert.convert(model), tokens, vocab_size=11)
