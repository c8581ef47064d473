"""Numbers of things, in words."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with what it counts, such as `1 run` or `20,640 runs`.

    Args:
        one: the words after 1, such as `run` or `run is`.
        many: the words after any other number; by default `one` with an s.
    """
    if count == 1:
        return f"1 {one}"
    return f"{count:,} {many or one + 's'}"
