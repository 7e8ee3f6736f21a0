"""The compiler's own refusals."""


class NotCompilable(Exception):  # noqa: N818 - a fact, as all errors here
    """The operation has a part that cannot become SQL; the reason names it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadDeclaration(Exception):  # noqa: N818 - a fact, as all errors here
    """A type says something of its place that cannot be; raised when the schema is indexed, not when it is asked."""
