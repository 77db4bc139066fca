"""The runbooks name every alarm there is and no other, and say the same in both languages."""

import re
from itertools import pairwise

import pytest

from tests.docs.markdown import Document
from tools.template import source

ENGLISH, CHINESE = "docs/operations.md", "docs/operations.zh-CN.md"
FIELDS = {ENGLISH: ["Means", "Look", "Do", "Solved when"], CHINESE: ["含义", "查看", "处理", "恢复判定"]}
ALARMS = [
    name.removesuffix("Alarm")
    for name, resource in source()["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
]

runbooks = pytest.mark.parametrize("path", FIELDS)


def sections(path: str) -> dict[str, str]:
    """Text of each alarm's section."""
    parts = re.split(r"^(#{2,3} .+)$", Document(path).text, flags=re.MULTILINE)
    return {title[4:]: body for title, body in pairwise(parts) if title.startswith("### ")}


@runbooks
def test_every_alarm_has_its_section_in_the_order_of_the_template(path: str):
    assert list(sections(path)) == ALARMS


@runbooks
def test_every_section_has_meaning_where_to_look_what_to_do_and_its_end(path: str):
    for name, text in sections(path).items():
        assert re.findall(r"^- \*\*([\w ]+)[:：]\*\*", text, re.MULTILINE) == FIELDS[path], name


@runbooks
def test_every_parameter_resource_and_query_that_is_named_exists(path: str):
    document, template = Document(path), source()
    named = set(re.findall(r"\$\(resource (\w+)", document.text))
    assert named <= template["Resources"].keys()
    assert set(re.findall(r"\$\(output (\w+)", document.text)) <= template["Outputs"].keys()
    saved = {
        resource["Properties"]["Name"]["Fn::Sub"].partition("/")[2]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    }
    quoted = set(re.findall(r"(?:saved query \"|保存的查询 “)([^\"”]+)", document.text))
    assert quoted
    assert quoted <= saved


def test_both_languages_give_the_same_commands():
    def commands(path: str) -> list[str]:
        document = Document(path)
        blocks = [re.sub(r"\s*# .*$", "", text, flags=re.MULTILINE) for text in document.of("sh")]
        return blocks + sorted({span for span in document.spans if " " in span})

    assert commands(ENGLISH) == commands(CHINESE)


def test_both_languages_have_the_same_sections_each_in_its_language():
    def headings(path: str) -> list[tuple[str, str]]:
        prose = Document(path).prose
        return re.findall(r"^(##+) (.+)$", prose, re.MULTILINE)

    english, chinese = headings(ENGLISH), headings(CHINESE)
    assert [level for level, _ in english] == [level for level, _ in chinese]
    assert [each for _, each in english if each in ALARMS] == [each for _, each in chinese if each in ALARMS]
    assert all(re.search("[\u4e00-\u9fff]", each) for _, each in chinese if each not in ALARMS)
