"""Answers about scores."""

from pydantic import BaseModel


class ScoreRead(BaseModel):
    """好差评得分, as evaluation last reported it."""

    rated: int
    satisfaction_ratio: float | None
    average_stars: float | None
