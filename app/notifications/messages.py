"""The words of a notice, in both languages. Pure.

A push holds the class's general sentence alone, which says nothing of a person's health, doctor, facility or illness;
what is shown in the app, after the phone was unlocked, names the facility or the moment where the event knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from fluent.runtime import FluentBundle, FluentResource

from app.notifications.kinds import RULES, NoticeClass

LANGUAGES = ("vi", "en")
_WORDS = Path(__file__).parent / "words"
OTHER = "OTHER"
MOST_KEPT = 1024
"""Texts: those of events that many people are told alike, as a facility's results of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A title and a text."""

    title: str
    text: str


@cache
def _bundle(language: str) -> FluentBundle:
    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((_WORDS / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle


def words_of(kind: str, *, facts: Mapping[str, str], language: str) -> Words:
    """Return what the app shows. `facts`: facility, day, time, reason; an unknown kind is told in general words.

    :raises LookupError: when the words of a kind are missing
    """
    return _words(kind.replace("_", "-") if kind in RULES else OTHER, tuple(sorted(facts.items())), language)


@lru_cache(maxsize=MOST_KEPT)
def _words(message_id: str, facts: tuple[tuple[str, str], ...], language: str) -> Words:
    bundle = _bundle(language)
    message = bundle.get_message(message_id)
    known: dict[str, str | int] = {"facility": "", "day": "", "time": "", "reason": "", **dict(facts)}
    known |= {"has_facility": int(bool(known["facility"])), "has_day": int(bool(known["day"]))}
    return Words(
        title=_formatted(bundle, message.value, known), text=_formatted(bundle, message.attributes["text"], known)
    )


@cache
def push_words(of: NoticeClass, *, language: str) -> Words:
    """Return what a locked phone may show: one general sentence a class."""
    bundle = _bundle(language)
    message = bundle.get_message(f"push-{of.value}")
    return Words(title="Sổ Khỏe", text=_formatted(bundle, message.value, {}))


def _formatted(bundle: FluentBundle, pattern: Any, facts: Mapping[str, str | int]) -> str:
    text, errors = bundle.format_pattern(pattern, dict(facts))
    if errors:
        raise LookupError(str(errors[0]))
    return str(text)
