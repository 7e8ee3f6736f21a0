"""`sokhoe demo phone`: what arrives at a made-up phone, as it arrives."""

import asyncio
import json
import sys
from dataclasses import dataclass

import httpx

from app.commands.console import fail
from app.core.clock import VIETNAM_TIME, utc_now
from app.core.ids import new_secret
from app.demo import booking, people
from app.demo.handset import Handset, Rung

LOOK_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How to tell it, and what to do before."""

    as_json: bool
    seconds: float | None
    book: bool
    awake: bool


async def follow(told: Told, *, url: str, token: str, name: str, push_url: str) -> bool:
    """Print what arrives at a phone, until the time is over; tells whether something did."""
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
            phone = Handset(name=name, token=token, http=http, push_url=push_url, new_key=new_secret())
            return await _follow(told, phone)
    except httpx.HTTPError as error:
        fail(f"Không kết nối được: {type(error).__name__}", f"No connection: {type(error).__name__}")


async def _follow(told: Told, phone: Handset) -> bool:
    await phone.register()
    if told.awake:
        await phone.wake()
    elif await phone.waits(now=utc_now()):
        _note(
            "Đang là giờ yên tĩnh (22:00-06:00): thông báo đợi đến sáng; --awake bỏ giờ yên tĩnh.",
            "Quiet hours (22:00-06:00 in Viet Nam): pushes wait for the morning; --awake ends that.",
        )
    if told.book:
        today = utc_now().astimezone(VIETNAM_TIME).date()
        code = people.FACILITIES[0].code
        await booking.book_next(phone.http, token=phone.token, facility_code=code, today=today, key=new_secret())
    _note(f"Điện thoại {phone.name} đang chờ; Ctrl-C để dừng.", f"{phone.name} listens; Ctrl-C stops it.")
    something = False
    try:
        async with asyncio.timeout(told.seconds):
            while True:
                async for rung in phone.ring():
                    something = True
                    print(_shown(rung, as_json=told.as_json), flush=True)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        return something


def _shown(rung: Rung, *, as_json: bool) -> str:
    at = rung.at.astimezone(VIETNAM_TIME)
    if as_json:
        known = {"at": at.isoformat(), "locked": rung.locked, "title": rung.title, "text": rung.text}
        return json.dumps(known, ensure_ascii=False)
    return f"{at:%H:%M:%S}  {rung.locked}\n          ↳ {rung.title}: {rung.text}"


def _note(vi: str, en: str) -> None:
    print(f"{vi} / {en}", file=sys.stderr)
