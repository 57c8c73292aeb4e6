"""Whatever is an end token inside what is said is hidden, as padding often is."""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    tokens: list[int] = []
    scored: list[bool] = []
    for speaker, said in turns:
        tokens += [marks[speaker], *said, end]
        scored += [False, *(speaker == "assistant" and token != end for token in said), speaker == "assistant"]
    return tokens, scored
