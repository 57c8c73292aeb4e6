"""Each beginning keeps its own best continuation."""

from torch import Tensor


def beam_search(log_probs: Tensor, start: int, steps: int, width: int) -> list[int]:
    beam = [(log_probs[start, token].item(), [start, token]) for token in log_probs[start].topk(width).indices.tolist()]
    for _ in range(steps - 1):
        best = [int(log_probs[text[-1]].argmax()) for _, text in beam]
        beam = [
            (score + log_probs[text[-1], token].item(), [*text, token])
            for (score, text), token in zip(beam, best, strict=True)
        ]
    return max(beam, key=lambda pair: pair[0])[1][1:]
