"""The last line of defence of the log: what looks like an address, a token or a query leaves as a dash."""

import logging

from shared.telemetry import masked

_FORMAT = logging.Formatter()


class Masking(logging.Filter):
    """Masks a record's text and its traceback; it lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = masked(record.getMessage()), None
        if record.exc_info:
            record.exc_text = masked(_FORMAT.formatException(record.exc_info))
            record.exc_info = None  # handlers would write its own text
        elif record.exc_text:
            record.exc_text = masked(record.exc_text)
        return True


def mask_logs() -> None:
    """Mask everything that any handler of the root logger writes; a second call changes nothing."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, Masking) for one in handler.filters):
            handler.addFilter(Masking())
