"""What endpoints hand to the services beside the session: settings and cipher of the process."""

from typing import Annotated

from fastapi import Depends, Request

from servicekit.personal_data import Cipher
from services.evaluation.settings import EvaluationSettings


async def _settings(request: Request) -> EvaluationSettings:
    settings: EvaluationSettings = request.app.state.settings
    return settings


async def _cipher(request: Request) -> Cipher:
    cipher: Cipher = request.app.state.cipher
    return cipher


Policy = Annotated[EvaluationSettings, Depends(_settings)]
DataCipher = Annotated[Cipher, Depends(_cipher)]
