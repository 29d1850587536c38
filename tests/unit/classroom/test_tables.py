from docker_tutor.classroom import tables

ROWS = [("one", "a <b> & c"), ("a longer one", "run `docker ps`")]


def test_a_page_heads_its_rows_and_columns_and_escapes_what_is_no_markup() -> None:
    page = tables.page(ROWS, ["what", "how"])
    assert page.count("<th scope='col'") == 2
    assert page.count("<th scope='row'") == 2
    assert "a &lt;b&gt; &amp; c" in page
    assert "run <code>docker ps</code>" in page


def test_a_text_has_aligned_columns_and_no_spaces_at_the_end() -> None:
    assert tables.text(ROWS).splitlines() == ["one           a <b> & c", "a longer one  run `docker ps`"]
    assert tables.text(ROWS, ["what", "how"]).splitlines()[0] == "what          how"
