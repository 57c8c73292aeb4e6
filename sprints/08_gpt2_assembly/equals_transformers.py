"""Is our GPT the GPT-2 that everybody uses? Same weights in, same logits, gradients and greedy text out.

    uv run sprints/08_gpt2_assembly/equals_transformers.py
    uv run sprints/08_gpt2_assembly/equals_transformers.py --model openai-community/gpt2

The default compares randomly initialised models of GPT-2 small's full size; a name loads trained weights from the hub
or a folder. Theory: notes/06_equal_to_the_library.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from transformers import GPT2Config, GPT2LMHeadModel

from shared.generation.decoding import generate
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.training.losses import next_token_loss

Features = Annotated[int, Field(ge=12, le=MOST, multiple_of=12)]  # of twelve heads
Tokens = Annotated[int, Field(ge=8, le=MOST)]  # the first eight are the prompt


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str | None = None  # a GPT-2 of the hub or a folder (default: random weights)
    layers: PositiveInt = 12  # blocks of the random model
    d_model: Features = 768  # features of the random model
    tokens: Tokens = 48  # tokens to compare on
    new_tokens: PositiveInt = 64  # tokens to generate


@dataclass(frozen=True)
class Results:
    parameters: int
    logit_difference: float
    largest_logit: float
    loss_difference: float
    gradient_difference: float
    same_greedy_tokens: int
    round_trip_difference: float


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    if config.model:
        theirs, _ = load_causal_model(config.model)
    else:
        theirs = GPT2LMHeadModel(GPT2Config(n_layer=config.layers, n_embd=config.d_model))
    theirs = theirs.to(device).eval()
    ours = GPT.from_transformers(theirs).to(device).eval()
    if max(config.tokens, 8 + config.new_tokens) > ours.config.context:
        raise ValueError(
            f"the model takes {ours.config.context} tokens; got --tokens {config.tokens}, and --new-tokens "
            f"{config.new_tokens} after a prompt of 8: give fewer"
        )
    tokens = torch.randint(ours.config.vocab_size, (2, config.tokens), generator=generator).to(device)

    # transformers shifts the labels inside the model, we do it in next_token_loss: both get the tokens as they are.
    their_output = theirs(tokens, labels=tokens)
    our_logits = ours(tokens)
    our_loss = next_token_loss(our_logits, tokens)
    their_output.loss.backward()
    our_loss.backward()
    their_gradient, our_gradient = theirs.transformer.wte.weight.grad, ours.token_embedding.weight.grad

    prompt = tokens[:1, :8]
    their_text = theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=config.new_tokens,
        do_sample=False,
        pad_token_id=0,
    )[0, 8:].tolist()
    our_text = generate(ours, [prompt[0].tolist()], max_new_tokens=config.new_tokens, temperature=0.0)[0]
    with torch.no_grad():
        back = ours.to_transformers().to(device)(tokens).logits
    results = Results(
        parameters=ours.parameter_count(),
        logit_difference=(our_logits - their_output.logits).abs().max().item(),
        largest_logit=their_output.logits.abs().max().item(),
        loss_difference=abs(our_loss.item() - their_output.loss.item()),
        gradient_difference=(our_gradient - their_gradient).abs().max().item(),
        same_greedy_tokens=sum(mine == other for mine, other in zip(our_text, their_text, strict=False)),
        round_trip_difference=(back - their_output.logits).abs().max().item(),
    )
    print(f"{results.parameters:,} parameters")
    print(f"logits differ by at most {results.logit_difference:.1e} (they reach {results.largest_logit:.2f})")
    print(
        f"the loss differs by {results.loss_difference:.1e}, its gradient by at most {results.gradient_difference:.1e}"
    )
    print(f"{results.same_greedy_tokens} of {config.new_tokens} greedy tokens are the same")
    print(f"there and back again the logits differ by at most {results.round_trip_difference:.1e}")
    return results


if __name__ == "__main__":
    # What differs is rounding: only its size is the result.
    run(main, Config, tolerance={"*_difference": Tolerance(absolute=1e-5)})
