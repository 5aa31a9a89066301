"""Forms of the pages: read whole, and only from a page of ours.

A page that holds a form sets a cookie with a random token (HttpOnly, SameSite=Strict) and puts the same token into the
form. Another site can make a browser send the cookie at most, never read it, so it cannot fill in the form's half. What
the browser itself says of where a request comes from (Sec-Fetch-Site, Origin) has to agree.
"""

import hmac
import secrets
from urllib.parse import parse_qsl, urlsplit

from fastapi import HTTPException, Request
from fastapi.responses import Response

TOKEN, COOKIE = "_token_of_form", "airloop_form"
_MOST_BYTES = 256 * 1024


def token_of(request: Request) -> str:
    """The token this browser has, or a new one."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def remember(request: Request, response: Response, token: str) -> Response:
    """Let the browser keep the token, for these pages alone."""
    path = request.scope["root_path"].rstrip("/") or "/"
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path=path)
    return response


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that a page of ours sent, without its token.

    Raises:
        HTTPException: 403, it comes from elsewhere; 413, it is too large; 415, it is not a form; 422, a field comes
            twice.
    """
    _refuse_strangers(request)
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415, "send the form of the page")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, f"the form holds more than {_MOST_BYTES} bytes")
    pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HTTPException(422, "a field of the form comes twice")
    cookie, sent = request.cookies.get(COOKIE, ""), fields.pop(TOKEN, "")
    if not cookie or not hmac.compare_digest(cookie.encode(), sent.encode()):
        raise HTTPException(403, "this form was not opened here: open the page again, and send it from there")
    return fields


def _refuse_strangers(request: Request) -> None:
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    foreign = origin and urlsplit(origin).netloc != request.headers.get("host", "")
    if site not in ("", "same-origin", "none") or (foreign and site != "same-origin"):
        raise HTTPException(403, "this form was sent by another site")
