from docker_tutor.classroom.summary import ImageNote, Summary

SENTENCE = "Docker 26.1.5 of the course's own: no daemon was running here."


def summary(*images: ImageNote, removed: int = 0) -> Summary:
    return Summary("00-cafe", SENTENCE, images, 0.8, removed)


def test_the_summary_says_which_engine_and_where_things_go() -> None:
    text = summary(ImageNote("alpine:3.19", "registry")).text()
    assert SENTENCE in text
    assert "alpine:3.19" in text
    assert "room.close()" in text
    assert "Stand-ins" not in text
    assert "Removed first" not in text


def test_stand_ins_are_named_and_explained() -> None:
    shown = summary(ImageNote("alpine:3.19", "local"), ImageNote("nginx", "stand-in")).rows()
    assert ("Images", "alpine:3.19") in shown
    (said,) = [said for what, said in shown if what == "Stand-ins"]
    assert said.startswith("nginx — no registry")


def test_what_a_dead_kernel_left_is_counted() -> None:
    assert "Removed first: 3 things left by a kernel that died." in summary(removed=3).text()


def test_the_page_is_a_table_with_headed_rows_and_escaped_text() -> None:
    page = Summary("00-cafe", "an engine <of> ours", (), 0.1).page()
    assert "<th scope='row'" in page
    assert "an engine &lt;of&gt; ours" in page
