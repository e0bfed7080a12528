"""The provider's process: `oidc-provider-mock` with doors for tests below /test/.

In a process of its own, as a provider is; its libraries warn about themselves.
"""

import sys
import warnings

warnings.simplefilter("ignore")

import flask  # noqa: E402
import oidc_provider_mock  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

app = oidc_provider_mock.app()
seen: dict[str, list] = {"paths": [], "forms": []}
state = {"failing": 0, "lasts": 0}


@app.before_request
def look():
    request = flask.request
    if request.path.startswith("/test/"):
        return None
    seen["paths"].append(request.path)
    if state["failing"]:
        return "", state["failing"]
    if request.path == "/oauth2/token":
        sent = request.authorization
        told = f"{sent.username}:{sent.password}" if sent else ""
        seen["forms"].append({**request.form.to_dict(), "authorization": told})
    return None


@app.after_request
def shorten(answer: flask.Response) -> flask.Response:
    if state["lasts"] and flask.request.path == "/oauth2/token" and answer.is_json:
        answer.set_data(flask.json.dumps({**answer.json, "expires_in": state["lasts"]}))
    return answer


@app.post("/test/lasts/<int:seconds>")
def lasts(seconds: int):
    """Say of tokens from now on that they last so long."""
    state["lasts"] = seconds
    return "", 204


@app.get("/test/seen")
def give_seen():
    return seen


@app.post("/test/fail/<int:status>")
def fail(status: int):
    state["failing"] = status
    return "", 204


@app.post("/test/end-access/<sub>")
def end_access(sub: str):
    """End the access tokens of an account; refresh tokens stay."""
    storage = flask.g.oidc_provider_mock_storage
    for token in list(storage.access_tokens()):
        if token.user_id == sub:
            storage.remove_access_token(token.token)
    return "", 204


make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()
