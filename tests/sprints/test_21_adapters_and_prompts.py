"""What holds for the sprint as a whole: every method adapts by its own numbers alone, and goes without a trace."""

import torch

FOLDER = "21_adapters_and_prompts"
TOKENS = torch.randint(20, (3, 6), generator=torch.Generator().manual_seed(1))


def test_every_method_learns_leaves_the_base_alone_and_can_be_removed(load_sprint):
    from transformers import GPT2Config, GPT2LMHeadModel

    methods = load_sprint(f"{FOLDER}/adaptation/methods.py")
    for name, method in methods.METHODS.items():
        torch.manual_seed(0)
        config = GPT2Config(
            n_positions=16, n_embd=16, n_layer=2, n_head=2, vocab_size=20, bos_token_id=0, eos_token_id=0
        )
        model = GPT2LMHeadModel(config).eval()
        before, known = (
            model(input_ids=TOKENS).logits.detach(),
            {id(weight): weight.clone() for weight in model.parameters()},
        )
        adapted = method.inject(model, method.config(model, 4), torch.Generator().manual_seed(0))
        optimizer = torch.optim.AdamW(method.groups(adapted, 3e-2))
        losses = []
        for _ in range(6):
            loss = adapted(input_ids=TOKENS, labels=TOKENS).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0], name
        removed = method.remove(adapted)
        torch.testing.assert_close(
            removed(input_ids=TOKENS).logits, before, msg=lambda text, name=name: f"{name}: {text}"
        )
        assert all(torch.equal(weight, known[id(weight)]) for weight in removed.parameters() if id(weight) in known), (
            name
        )
