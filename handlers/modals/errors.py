"""A form that cannot be used as it was filled in."""


class FormError(Exception):
    """What is wrong, as plain text for people, at the block with this name."""

    def __init__(self, block: str, words: str) -> None:
        super().__init__(words)
        self.block = block
        self.words = words
