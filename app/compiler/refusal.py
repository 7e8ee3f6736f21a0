"""The compiler's own refusals."""


class NotCompilable(Exception):
    """The operation has a part that cannot become SQL; the reason names it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class BadDeclaration(Exception):
    """A type says something of its place that cannot be; raised when the schema is indexed."""
