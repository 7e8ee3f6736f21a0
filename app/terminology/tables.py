"""Rows of code lists: data with validity dates, since the law moves."""

from datetime import date

from sqlalchemy import Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row


class CodeRow(Row):
    """One code of one list, in force from `valid_from` until the day before `valid_until`."""

    __tablename__ = "entry"
    __table_args__ = ({"schema": "code"},)

    system: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)
    name_vi: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
