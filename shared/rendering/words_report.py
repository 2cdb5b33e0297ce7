"""The words of the access report, in English and Danish."""

REPORT_WORDS: dict[str, tuple[str, str]] = {}
