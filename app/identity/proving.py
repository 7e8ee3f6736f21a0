"""From an HTTP request to a context with the key that it proved (RFC 9449), for the faces."""

from starlette.requests import Request

from app.core.context import Context, House, ShownProof
from app.core.db import connection_errors
from app.core.errors import Unauthenticated
from app.core.logs import log
from app.core.providers import AppClient
from app.core.requests import credentials_of, house_of, new_context, said
from app.identity.claims import Reason
from app.identity.clients import OAuthCode, OAuthError
from app.identity.dpop import NonceWanted, Proof, ProofRefused, check_proof, nonces_at

_USE_PROOF = "SELECT auth.use_proof($1, $2, $3)"
_NOTHING_SHOWN = 'Bearer, DPoP algs="ES256"'  # no error code where nothing was shown: RFC 6750 section 3.1
_EITHER = 'Bearer error="invalid_token", DPoP algs="ES256"'
_BOUND = 'DPoP error="invalid_token", algs="ES256"'


async def proven_context(request: Request) -> Context:
    """Return the context of a person's request: a bound token comes with a proof, any other as Bearer.

    :raises ProofRefused: when the proof is not one, or was used before
    :raises Unauthenticated: when there is a header that is no token, or no live session behind a bound one
    """
    context = shown_context(request)
    await spend_proof(context)
    return context


def shown_context(request: Request) -> Context:
    """Return the same with a proof that may have been used before: whoever asks for it must call `spend_proof`.

    :raises ProofRefused: when the proof is not one
    :raises Unauthenticated: when there is a header that is no token
    """
    shown = credentials_of(request)
    if shown is None or not shown.with_proof:
        return new_context(request, token=None if shown is None else shown.token)
    proof = _read(request, access_token=shown.token)
    return new_context(request, token=shown.token, proof=ShownProof(key=proof.key, proof_id=proof.proof_id))


async def spend_proof(context: Context) -> None:
    """Mark the request's proof as used, unless a statement did so in its own transaction.

    :raises ProofRefused: when it was used before
    :raises Unauthenticated: when there is no live session bound to its key
    """
    if context.proof is not None and not context.proof.is_spent:
        await _use(context.house, context.proof, token=context.token)


async def proven_key(request: Request, app: AppClient, *, needs_proof: bool = True) -> bytes | None:
    """Return the key that an app proved to hold where it asks for tokens; none for an app that is not bound to one.

    Where a proof is not needed, one that is sent is judged all the same.

    :raises OAuthError: `use_dpop_nonce`, or `invalid_dpop_proof` for a missing, bad or used one
    """
    if "dpop" not in request.headers and (app.dpop == "none" or not needs_proof):
        return None
    try:
        proof = _read(request, access_token=None)
        await _use(house_of(request), ShownProof(key=proof.key, proof_id=proof.proof_id), token=None)
    except NonceWanted as refusal:
        raise OAuthError(OAuthCode.USE_DPOP_NONCE, refusal.text, reason=refusal.reason) from None
    except ProofRefused as refusal:
        raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, refusal.text, reason=refusal.reason) from None
    return proof.key


def challenged(refusal: Unauthenticated, request: Request) -> Unauthenticated:
    """Return the refusal with the challenges of a surface that takes both kinds of tokens (RFC 9449 section 7.2)."""
    if not isinstance(refusal, ProofRefused):
        shown = request.headers.get("authorization")
        if shown is None:
            refusal.challenge = _NOTHING_SHOWN
        else:
            refusal.challenge = _BOUND if shown[:5].lower() == "dpop " else _EITHER
    return refusal


def _read(request: Request, *, access_token: str | None) -> Proof:
    house = house_of(request)
    now = house.clock()
    sent = said(request.scope, b"dpop")
    nonces = nonces_at(now, derive=house.vault.derivation.secret)
    try:
        proof = check_proof(
            sent[0] if len(sent) == 1 else "",
            method=request.method,
            address=house.settings.public_url + _path(request),
            access_token=access_token,
            nonces=nonces,
            now=now,
        )
    except ProofRefused as refusal:
        request.state.next_nonce = nonces.current
        log.info("proof refused", reason=refusal.reason, request_id=request.state.request_id)
        raise
    if proof.nonce != nonces.current:
        request.state.next_nonce = nonces.current
    return proof


def _path(request: Request) -> str:
    """Return what `request.url.path` is; that takes the whole address to pieces."""
    path: str = request.scope["path"]
    return path.replace("?", "%3F").replace("#", "%23").replace("\\", "%5C")


async def _use(house: House, proof: ShownProof, *, token: str | None) -> None:
    with connection_errors():
        unused = await house.desk.fetchval(_USE_PROOF, token, proof.key, proof.proof_id)
    if not unused:
        raise ProofRefused(Reason.REPLAYED)
    proof.is_spent = True
