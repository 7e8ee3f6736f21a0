"""Rows of code lists: data with validity dates, since the law moves."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, Integer, Numeric, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
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


class EditionRow(Row):
    """How often what everybody may know has changed: code lists, rules, units, facilities' names. There is one row."""

    __tablename__ = "edition"
    __table_args__ = (CheckConstraint("is_only", name="edition_is_only_check"), {"schema": "code"})

    is_only: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


class ScheduledDoseRow(Row):
    """One dose of the national schedule for children, in force for those whose due day falls in its dates."""

    __tablename__ = "scheduled_dose"
    __table_args__ = ({"schema": "code"},)

    series: Mapped[str] = mapped_column(Text, primary_key=True)
    dose: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)
    name_vi: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    antigens: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sex: Mapped[str | None] = mapped_column(Text)
    due_days: Mapped[int] = mapped_column(Integer)  # days of age, as the other days
    late_days: Mapped[int] = mapped_column(Integer)
    closes_days: Mapped[int | None] = mapped_column(Integer)  # from this day on the dose is no longer given
    counts_from_days: Mapped[int] = mapped_column(Integer)
    counts_until_days: Mapped[int | None] = mapped_column(Integer)
    min_interval_days: Mapped[int | None] = mapped_column(Integer)  # after the dose before
    source: Mapped[str] = mapped_column(Text)
    certainty: Mapped[str] = mapped_column(Text)  # confirmed, second-hand, from-memory


class ReuseRuleRow(Row):
    """How long a result of one test may stand in for a new one, from the sample on, in force between two days."""

    __tablename__ = "reuse_rule"
    __table_args__ = ({"schema": "code"},)

    subject: Mapped[str] = mapped_column(Text, primary_key=True)  # an analyte or an index code, in capital letters
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)
    category: Mapped[str] = mapped_column(Text)
    sure_hours: Mapped[int] = mapped_column(Integer)
    longest_hours: Mapped[int] = mapped_column(Integer)
    positives_only: Mapped[bool] = mapped_column(Boolean)
    source: Mapped[str] = mapped_column(Text)
    certainty: Mapped[str] = mapped_column(Text)  # confirmed, second-hand, from-memory


class UnitRow(Row):
    """How a test's value in one unit becomes one in the unit that its analyte is shown in: value * factor + shift."""

    __tablename__ = "test_unit"
    __table_args__ = (Index("test_unit_analyte_idx", "analyte"), {"schema": "code"})

    code: Mapped[str] = mapped_column(Text, primary_key=True)  # in capital letters
    unit: Mapped[str] = mapped_column(Text, primary_key=True)  # in small letters, u for micro, no spaces
    analyte: Mapped[str] = mapped_column(Text)
    shown_unit: Mapped[str] = mapped_column(Text)
    factor: Mapped[Decimal] = mapped_column(Numeric)
    shift: Mapped[Decimal] = mapped_column(Numeric)
    basis: Mapped[str] = mapped_column(Text)
