"""Text: grammar, cookbook, corpora, tokenizers, batches, books, n-grams."""
