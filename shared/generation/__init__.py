"""Drawing text from any model: sampling, decoding with the cache, beam search."""
