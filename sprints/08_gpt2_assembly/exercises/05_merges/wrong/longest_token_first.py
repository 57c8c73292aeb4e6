"""Takes the longest token that fits, from left to right, as WordPiece does."""


def encode(word: str, merges: list[tuple[str, str]]) -> list[str]:
    vocabulary, tokens = {*word, *map("".join, merges)}, []
    while word:
        token = next(word[:end] for end in range(len(word), 0, -1) if word[:end] in vocabulary)
        tokens.append(token)
        word = word[len(token) :]
    return tokens
