"""The list of problems: each rejection by itself, the same warning once, and a bound on all."""

from app.ingestion.catalogue import ProblemCode
from app.ingestion.remarks import MAX_LISTED, Remarks
from app.ingestion.verdict import Effect

LONG = ProblemCode.FIELD_TOO_LONG


def test_rejections_are_listed_line_by_line() -> None:
    remarks = Remarks()
    remarks.visit = "LK1"
    for line in (1, 2):
        remarks.add(ProblemCode.FIELD_MISSING, Effect.REJECTS, table="XML2", line=line, field="TEN_THUOC")

    first, second = remarks.problems()

    assert remarks.rejects
    assert (first.visit, first.table, first.line, first.field) == ("LK1", "XML2", 1, "TEN_THUOC")
    assert second.vi == "XML2, dòng 2, TEN_THUOC: trường bắt buộc bị thiếu hoặc rỗng."
    assert second.en == "XML2, line 2, TEN_THUOC: required, but missing or empty."


def test_the_same_warning_is_told_once_with_the_count_of_lines() -> None:
    remarks = Remarks()
    for line in (3, 4, 4, 5):
        remarks.add(LONG, Effect.WARNS, table="XML2", line=line, field="HAM_LUONG", limit=1024)

    (problem,) = remarks.problems()

    assert not remarks.rejects
    assert problem.line == 3
    assert problem.vi == "XML2, dòng 3, HAM_LUONG: dài quá 1024 ký tự. (Và 2 dòng khác.)"
    assert problem.en == "XML2, line 3, HAM_LUONG: longer than 1024 characters. (And on 2 more.)"


def test_problems_stand_in_the_order_of_tables_and_lines() -> None:
    remarks = Remarks()
    for table, line in (("XML10", 1), ("XML2", 7), ("XML2", 3), (None, None), ("XML1", 1)):
        remarks.add(LONG, Effect.REJECTS, table=table, line=line, field="X", limit=1)

    places = [(problem.table, problem.line) for problem in remarks.problems()]

    assert places == [(None, None), ("XML1", 1), ("XML2", 3), ("XML2", 7), ("XML10", 1)]


def test_a_visit_without_an_id_is_told_by_its_position() -> None:
    remarks = Remarks(position=4)
    remarks.add(ProblemCode.TABLE_MISSING, Effect.REJECTS, table="XML1")
    remarks.add(ProblemCode.TABLE_UNKNOWN, Effect.WARNS, field="LOAIHOSO")

    envelope, table = remarks.problems()

    assert (envelope.visit, envelope.line) == (None, 4)
    assert table.vi.startswith("hồ sơ thứ 4, XML1: ")
    assert table.en.startswith("visit no. 4, XML1: ")
    assert table.line is None


def test_a_flood_is_cut_but_counted_and_still_rejects() -> None:
    remarks = Remarks()
    for line in range(1, MAX_LISTED + 124):
        remarks.add(LONG, Effect.REJECTS, table="XML4", line=line, field="MA_CHI_SO", limit=50)

    problems = remarks.problems()

    assert len(problems) == MAX_LISTED + 1
    assert (problems[-1].code, problems[-1].effect) == (ProblemCode.MORE_PROBLEMS, Effect.REJECTS)
    assert problems[-1].en.startswith("123 more problems")


def test_warnings_cannot_crowd_out_rejections() -> None:
    remarks = Remarks()
    for number in range(MAX_LISTED * 2):
        remarks.add(ProblemCode.FIELD_UNKNOWN, Effect.WARNS, table="XML1", field=f"F{number}")
    remarks.add(ProblemCode.FIELD_MISSING, Effect.REJECTS, table="XML1", field="HO_TEN")

    effects = [problem.effect for problem in remarks.problems()]

    assert effects.count(Effect.WARNS) == MAX_LISTED + 1
    assert effects.count(Effect.REJECTS) == 1


def test_a_name_that_is_no_field_is_not_repeated() -> None:
    remarks = Remarks()
    remarks.add(ProblemCode.FIELD_UNKNOWN, Effect.WARNS, table="XML1", field="Nguyễn_Thị_Ánh")
    remarks.add(ProblemCode.FIELD_UNKNOWN, Effect.WARNS, table="XML2", field="X" * 41)

    assert [problem.field for problem in remarks.problems()] == [None, None]
