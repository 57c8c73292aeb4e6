"""What the page shows: the picture, the caption, and above the picture what each word looked at."""

import html
from collections.abc import Sequence

from seeing.page_pictures import Picture, to_uri
from seeing.watching import Said

EMPTY = "There is nothing on this picture. Click on the table to put something there, lay one, or drop a picture."


def shown(picture: Picture, said: Sequence[Said] = (), sentence: str = "") -> str:
    """Return the picture and what was said of it; pointing at a word darkens what it did not look at.

    Args:
        picture: as the model reads it.
        said: the caption so far.
        sentence: stands where the caption would.
    """
    words = "".join(_word(one) for one in said)
    place = f'<img src="{to_uri(picture)}" alt="the picture that the model reads" draggable="false">'
    return (
        f'<div class="seen"><div class="picture">{place}</div>'
        f'<p class="caption">{words}{html.escape(sentence)}</p></div>'
    )


def _word(said: Said) -> str:
    """Return a token, and the cover over the picture that pointing at it shows."""
    most = max(said.looked)
    light = [share / most if most > 0 else 1.0 for share in said.looked]
    side = round(len(light) ** 0.5)
    cells = "".join(
        f'<i style="--dark:{1 - part:.2f}" title="{share:.1%}"></i>'
        for part, share in zip(light, said.looked, strict=True)
    )
    cover = f'<span class="cover" style="grid-template-columns:repeat({side},1fr)">{cells}</span>'
    return f'<span class="word" tabindex="0">{html.escape(said.text)}{cover}</span>'
