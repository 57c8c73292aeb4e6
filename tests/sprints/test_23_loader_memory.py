"""What holds for the whole sprint: every saving put together, and each document is read as if it were alone."""

import pytest
import torch
from torch.nn import functional

from shared.nn.gpt import GPT, GPTConfig

FOLDER = "23_loader_memory"


def documents_of(array) -> list[list[int]]:
    """Return what a worker would hand out, as numbers."""
    return [array[index].tolist() for index in range(6)]


def test_packed_rows_from_one_array_in_pieces_and_chunks_give_the_gradients_of_documents_alone(load_sprint, tmp_path):
    texts = load_sprint(f"{FOLDER}/memory_study/texts.py")
    packing = load_sprint(f"{FOLDER}/memory_study/packing.py")
    documents_module = load_sprint(f"{FOLDER}/memory_study/documents.py")
    chunked_loss = load_sprint(f"{FOLDER}/memory_study/chunked_loss.py").chunked_loss
    documents = [text[:20] for text in documents_of(texts.OneArray(6, 0, tmp_path))]
    config = GPTConfig(vocab_size=256, context=24, layers=2, heads=2, d_model=16, dropout=0.0)
    alone, together = (GPT(config, torch.Generator().manual_seed(0)).double() for _ in range(2))

    targets = sum(len(document) - 1 for document in documents)
    for document in documents:
        tokens = torch.tensor([document])
        loss = functional.cross_entropy(alone(tokens[:, :-1])[0], tokens[0, 1:], reduction="sum") / targets
        loss.backward()

    rows = packing.first_fit_decreasing([len(document) for document in documents], 48)
    assert len(rows) < len(documents)
    packed = documents_module.pack_rows(documents, rows, 48)
    for row in range(len(rows)):  # a row at a time: gradients add up
        piece = documents_module.Packed(*(part[row : row + 1] for part in packed))
        hidden = together.token_embedding(piece.tokens) + together.positions(piece.positions)
        for block in together.blocks:
            hidden = block(hidden, documents_module.block_mask(piece.documents))
        hidden, own = together.norm(hidden)[0, :-1], piece.targets[0, 1:]
        (chunked_loss(hidden[own], together.head.weight, piece.tokens[0, 1:][own], 5) / targets).backward()

    for (name, ours), theirs in zip(together.named_parameters(), alone.parameters(), strict=True):
        assert ours.grad is not None, name
        assert theirs.grad is not None, name
        if name.startswith("positions"):  # those behind the longest document are never read
            assert ours.grad.abs().sum() > 0
        torch.testing.assert_close(
            ours.grad, theirs.grad, rtol=0, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_a_document_that_does_not_fit_is_refused(load_sprint):
    packing = load_sprint(f"{FOLDER}/memory_study/packing.py")
    with pytest.raises(ValueError, match="48"):
        packing.first_fit_decreasing([10, 49], 48)
