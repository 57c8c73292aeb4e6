"""Turn by turn; scored are the assistant's words and the end of its turn."""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    """Return the tokens of a chat, and for each whether the loss scores it."""
    tokens: list[int] = []
    scored: list[bool] = []
    for speaker, said in turns:
        tokens += [marks[speaker], *said, end]
        scored += [False, *[speaker == "assistant"] * (len(said) + 1)]
    return tokens, scored
