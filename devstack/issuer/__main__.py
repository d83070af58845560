"""`python -m devstack.issuer`: run the development issuer."""

import uvicorn

from devstack.issuer.app import create_app
from devstack.issuer.settings import IssuerSettings

if __name__ == "__main__":
    settings = IssuerSettings.load()
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
    )
