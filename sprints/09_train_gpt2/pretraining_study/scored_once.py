"""The final score of a model that one process trained, or several."""

from pretraining_study.final_score import FinalScore, score_model
from shared.nn.gpt import GPT
from shared.text.corpora import Corpus
from shared.training.parallel import from_first
from shared.training.whole_states import whole_model


def score_trained(model: GPT, corpus: Corpus, *, ngram_tokens: int, recipes: int, seed: int) -> FinalScore:
    """Return the score that one process gives to all weights; the others wait for it.

    Args:
        model: its weights may be spread over processes.
        corpus: the text that it was trained on.
        ngram_tokens, recipes, seed: see `score_model`.
    """
    device = next(model.parameters()).device
    trained = whole_model(model, lambda: GPT(model.config).to(device))
    return from_first(lambda: score_model(trained, corpus, ngram_tokens=ngram_tokens, recipes=recipes, seed=seed))
