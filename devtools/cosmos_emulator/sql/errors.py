"""Errors of query texts, with the place in the text."""


class SqlError(Exception):
    """Refuse a query text.

    Args:
        message: what is wrong, for the author of the query.
        start: offset of the first character at fault.
        end: offset behind the last character at fault.
        code: error code of the query compiler.
    """

    def __init__(self, message: str, *, start: int = 0, end: int = 0, code: str = "SC1001") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.code = code
