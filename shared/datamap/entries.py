"""What every entry of the data map is: immutable, in both languages where people read it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NOT_STATED: Literal["not_stated"] = "not_stated"
NotStated = Literal["not_stated"]
UNDECIDED: Literal["undecided"] = "undecided"
PERIOD = r"^P[1-9]\d{0,2}[YM]$"  # whole calendar years or months
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Letter = Literal["a", "b", "c", "f"]


class Frozen(BaseModel):
    """Base of every map entry: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Text(Frozen):
    """Words a data subject reads, in each language letters are written in."""

    en: str = Field(min_length=1)
    da: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """Return the words in `language`, English where the language is unknown."""
        return self.da if language == "da" else self.en
