"""Rows that tell what is installed in this database."""

from datetime import datetime

from sqlalchemy import DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row


class InstalledFileRow(Row):
    """A file of functions or policies as it was last applied."""

    __tablename__ = "installed_file"
    __table_args__ = ({"schema": "deploy"},)

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class InstalledOperationRow(Row):
    """A trusted operation's function; functions of older releases stay until their document's sunset."""

    __tablename__ = "installed_operation"
    __table_args__ = ({"schema": "deploy"},)

    function: Mapped[str] = mapped_column(Text, primary_key=True)
    document_id: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
