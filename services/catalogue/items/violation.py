"""How a broken rule is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong where, and what would put it right."""

    path: str
    rule: str
    message: str
    remedy: str

    def as_error(self) -> dict[str, str]:
        """An entry of a problem document's `errors`."""
        return {
            "path": self.path,
            "in": "body",
            "type": self.rule,
            "message": self.message,
            "remedy": self.remedy,
        }
