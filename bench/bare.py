"""The bare framework: answers 201 without any work, as the upper bound of what it lets through."""

from fastapi import FastAPI, Request, Response

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.post("/v1/requests")
async def take(request: Request) -> Response:
    await request.body()
    return Response(b"{}", status_code=201, media_type="application/json")
