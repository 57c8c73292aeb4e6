"""What a trained model is worth: its loss on all validation text, beside n-gram models and the optimum."""

from dataclasses import dataclass

from pretraining_study.written_texts import count_faults, write_texts
from shared.nn.gpt import GPT
from shared.text.corpora import CookbookCorpus, Corpus
from shared.text.ngrams import KneserNey
from shared.training.losses import evaluate_loss, perplexity


@dataclass(frozen=True)
class FinalScore:
    """Losses in nats per token; optimum, valid and faults only of the cookbook, whose grammar is known."""

    parameters: int
    validation_loss: float
    validation_perplexity: float
    validation_tokens: int
    nats_per_character: float
    optimum: float | None
    above_optimum: float | None
    ngram: float
    unigram: float
    valid: float | None
    faults: dict[str, int]
    samples: list[str]

    def summary(self) -> str:
        """Return the losses in lines to print."""
        loss = f"validation loss {self.validation_loss:.4f} nats per token, perplexity {self.validation_perplexity:.3f}"
        lines = [loss, f"5-gram          {self.ngram:.4f}"]
        if self.optimum is not None:
            lines.append(f"optimum         {self.optimum:.4f}: the model is {self.above_optimum:.1%} above it")
            lines.append(f"{self.valid:.0%} of the recipes it wrote are valid")
        return "\n".join(lines)


def score_model(model: GPT, corpus: Corpus, *, ngram_tokens: int, recipes: int, seed: int) -> FinalScore:
    """Score a model on all validation tokens.

    Args:
        model: is put in evaluation mode.
        corpus: the text that it was trained on.
        ngram_tokens: training tokens of the n-gram models.
        recipes: recipes to write and to check against the grammar.
        seed: of what is written.
    """
    model.eval()
    loss, targets = evaluate_loss(model, corpus.validation_batches(64, model.config.context))
    documents, unseen = corpus.train_documents(ngram_tokens), corpus.validation_documents()
    unigram, ngram = (KneserNey(n, corpus.tokenizer.vocab_size).fit(documents).loss(unseen) for n in (1, 5))
    optimum, valid, faults = corpus.optimum(), None, {}
    if isinstance(corpus, CookbookCorpus):
        samples = write_texts(model, corpus.tokenizer, recipes, seed=seed)
        counts = count_faults(samples, corpus.cookbook)
        valid, faults = counts["none"] / recipes, dict(counts.most_common())
    else:
        # A text has no documents in it, so a sample starts after a line break and ends where the context ends.
        samples = write_texts(model, corpus.tokenizer, 3, seed=seed, start=corpus.opening())
    return FinalScore(
        parameters=model.parameter_count(),
        validation_loss=loss,
        validation_perplexity=perplexity(loss),
        validation_tokens=targets,
        nats_per_character=loss / corpus.characters_per_token(),
        optimum=optimum,
        above_optimum=None if optimum is None else loss / optimum - 1,
        ngram=ngram,
        unigram=unigram,
        valid=valid,
        faults=faults,
        samples=samples[:3],
    )
