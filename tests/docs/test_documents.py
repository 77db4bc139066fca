"""What the READMEs, the references and docs/ say, compared with the code."""

import html
import json
import re
import shlex
import tomllib
from datetime import UTC, datetime
from itertools import pairwise
from typing import get_args, get_type_hints
from urllib.parse import unquote

import boto3
import grimp
import pytest
from botocore import xform_name
from complete_order.order import InvalidOrder, parse
from complete_order.result import Result
from samtranslator.yaml_helper import yaml_parse
from wechatpay.errors import SettlementError
from wechatpay.orders import OrderKey
from wechatpay.secret_rules import SECRET

from local.demo.samples import samples
from tests.docs.markdown import ROOT, Document
from tools import workflow

READMES = ["README.md", "README.zh-CN.md"]
REFERENCES = ["docs/reference.md", "docs/reference.zh-CN.md"]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for where in (
        ROOT.glob("*.md"),
        *((ROOT / each).rglob("*.md") for each in ("docs", "examples", "simulator")),
    )
    for path in where
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
# What the annotations of a result allow: `evidence` and `error` are None where they do not apply.
RESULT = get_type_hints(Result)
OUTCOMES, EVIDENCE = set(get_args(RESULT["outcome"])), set(get_args(get_args(RESULT["evidence"])[0]))
CATEGORIES = set(get_args(get_type_hints(get_args(RESULT["error"])[0])["category"]))
WORKFLOW = workflow.definition()
INVOKING = ("ServiceEnded", "QueryOrder")
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))

readmes = pytest.mark.parametrize("readme", [Document(path) for path in READMES], ids=READMES)
references = pytest.mark.parametrize("reference", [Document(path) for path in REFERENCES], ids=REFERENCES)
documents = pytest.mark.parametrize("document", [Document(path) for path in DOCUMENTS], ids=DOCUMENTS)


@documents
def test_every_link_leads_somewhere(document):
    local = [link for link in document.links if not re.match(r"[a-z]+:", link)]
    for link in local:
        path, _, anchor = unquote(link).partition("#")
        target = document.path.parent / path if path else document.path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings], link


@documents
def test_every_make_target_that_is_named_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = [*document.spans, *(line for text in document.of("sh") for line in text.splitlines())]
    named = {target for command in commands for target in re.findall(r"^make ([a-z-]+)", command)}

    assert named <= targets


@documents
def test_every_make_command_that_is_named_gives_what_its_target_reads(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (stack,) = re.findall(r"^stack = (.*)$", makefile, re.MULTILINE)
    reads = dict(re.findall(r"^reads\.([a-z-]+) = (.*)$", makefile, re.MULTILINE))
    lines = [line for text in document.of("sh") for line in text.replace("\\\n", " ").splitlines()]
    for command in (each for each in [*document.spans, *lines] if each.startswith("make ")):
        command = re.sub(r"\s#\s.*|\|\|.*|<.*", "", command)
        target, given = command.split()[1], re.findall(r"(?<!\S)([A-Z_]+)=", re.sub(r'"[^"]*"', "", command))
        read = reads.get(target, "").replace("$(stack)", stack).split()
        assert set(given) <= set(read), command


@documents
def test_every_path_that_is_named_exists(document):
    tops = {path.name for path in ROOT.iterdir()} - {".local", ".venv", ".aws-sam"}
    named = [span for span in document.spans if re.fullmatch(r"[\w.-]+/[\w./-]*", span)]

    assert [path for path in named if path.split("/")[0] in tops and not (ROOT / path).exists()] == []


# Words that a Chinese payment engineer reads as something else, or not at all; instead of each the right one.
WRONG_TERMS = {
    r"(?<!资金)结算": "完结",
    "查询付款": "查询扣款结果",
    "堆栈": "栈",
    "账户(?!中心)": "账号",
    "商户密钥(?!.pem)": "商户凭证 or 商户私钥",
    "不问就不会告知": "未设置 notify_url 时，只能主动查单获知结果",
    "说明不了问题": "应答不足以判定结果时",
    "永远不会成功": "原样重试不会成功，须先修正",
    "什么都没发出": "未发出任何请求时",
    "止于 `": "以 … 结束",
    "动真钱": "将产生真实扣款",
    "没有声音": "上游未发事件",
    "毫秒的距离": "网络延迟",
    "目前不确定": "已知局限",
}
SPEAKING = [
    path
    for each in ("operations", "life", "local", "console", "functions", "layers", "statemachine", "tools")
    for path in (ROOT / each).rglob("*")
    if path.suffix in (".py", ".html", ".json", ".yaml") and "node" not in path.parts
]


@pytest.mark.parametrize("wrong", WRONG_TERMS)
def test_chinese_is_by_its_own_terms(wrong):
    pages = [ROOT / each for each in DOCUMENTS if each.endswith(".zh-CN.md")]
    lines = {
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (*pages, *SPEAKING, ROOT / "template.yaml", ROOT / "Makefile")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(wrong, line)
    }
    assert lines == set(), WRONG_TERMS[wrong]


@documents
def test_titles_of_chinese_pages_are_chinese(document):
    if document.path.name.endswith(".zh-CN.md"):
        titles = re.findall(r"^#+ (.+)$", document.prose, re.MULTILINE)
        alarms = {name.removesuffix("Alarm") for name in TEMPLATE["Resources"]}
        assert [
            each for each in titles if each not in alarms and not re.search("[\u4e00-\u9fff]", each)
        ] == []


def test_both_languages_of_emitting_give_the_same_listings():
    english, chinese = Document("docs/emit.md"), Document("docs/emit.zh-CN.md")
    assert english.blocks == chinese.blocks
    assert [len(re.findall(r"^## ", each.text, re.MULTILINE)) for each in (english, chinese)] == [7, 7]


@documents
def test_json_parses(document):
    for text in document.of("json"):
        json.loads(text)


@pytest.mark.parametrize("pages", [READMES, REFERENCES], ids=["README", "reference"])
def test_both_languages_name_the_same_things(pages):
    english, chinese = (Document(path) for path in pages)

    def code_blocks(document):
        comment = re.compile(r"\s+#.*$", re.MULTILINE)
        return [(b.language, comment.sub("", b.text)) for b in document.blocks if b.language != "mermaid"]

    assert code_blocks(english) == code_blocks(chinese)
    assert set(english.spans) ^ set(chinese.spans) == set()
    assert [[len(row) for row in t] for t in english.tables] == [
        [len(row) for row in t] for t in chinese.tables
    ]
    assert [(a, b) for a, b, _ in english.edges()] == [(a, b) for a, b, _ in chinese.edges()]


@readmes
def test_the_diagram_is_the_state_machine(readme):
    drawn = {(a, b) for a, b, _ in readme.edges()}
    edges = {("[*]", WORKFLOW["StartAt"])}
    for name, state in WORKFLOW["States"].items():
        following = [choice["Next"] for choice in state.get("Choices", [])]
        following += [state[field] for field in ("Next", "Default") if field in state]
        following = following or ["[*]"]
        edges |= {(name, target) for target in following}

    retried_and_failing = {(state, end) for state in INVOKING for end in (state, "[*]")}
    assert drawn == edges | retried_and_failing


@readmes
def test_the_diagram_says_what_is_raised_and_what_is_retried(readme):
    raised = {error.__name__ for error in SettlementError.__subclasses__()}
    retried = {name for retry in WORKFLOW["States"]["ServiceEnded"]["Retry"] for name in retry["ErrorEquals"]}
    labels = {(a, b): set(re.findall(r"\w+", label, re.ASCII)) for a, b, label in readme.edges()}

    assert labels["ServiceEnded", "ServiceEnded"] & raised == raised & retried
    for state in INVOKING:
        assert labels[state, "[*]"] & raised == raised - retried


@references
def test_the_parameters_are_the_templates(reference):
    rows = reference.table_of("MerchantSecretPrefix")

    assert {name: cells[0].strip("`") for name, cells in rows.items()} == {
        name: str(declared["Default"]) for name, declared in TEMPLATE["Parameters"].items()
    }


@references
def test_the_outputs_and_environments_exist(reference):
    outputs = {span for span in reference.spans if span in TEMPLATE["Outputs"]}
    assert outputs == TEMPLATE["Outputs"].keys()
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert set(re.findall(r"--config-env (\w+)", reference.text)) <= environments.keys()


class Recorded(dict):
    """An object that remembers which fields it was asked for."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.names_read = set()

    def get(self, name, default=None):
        self.names_read.add(name)
        return super().get(name, default)


@references
def test_the_events_fields_are_those_the_function_reads(reference):
    event = Recorded(fees=[Recorded()], discounts=[Recorded()])
    with pytest.raises(InvalidOrder):
        parse(event, default_mchid="", now=NOW)
    read = event.names_read | {f"{n}[].{f}" for n in ("fees", "discounts") for f in event[n][0].names_read}

    assert set(reference.table_of("out_order_no")) == read


@references
def test_the_sample_event_is_valid_and_its_result_is_the_sample_result(reference):
    event, result = (json.loads(text) for text in reference.of("json"))

    order = parse(event, default_mchid=result["mchid"], now=NOW)

    key = OrderKey(order.mchid, result["appid"], result["service_id"], order.out_order_no)
    assert result == Result.settled(order, key, "REPLY", result["request_id"], result["order_id"]).to_json()


def test_every_event_is_valid_but_the_one_that_shows_mistakes():
    mistakes = {path.stem: _mistakes(path) for path in (ROOT / "events").glob("*.json")}

    assert {stem: len(problems) for stem, problems in mistakes.items() if problems} == {"invalid": 5}


def _mistakes(path):
    try:
        parse(json.loads(path.read_text(encoding="utf-8")), default_mchid="1900000001", now=NOW)
    except InvalidOrder as invalid:
        return invalid.problems
    return []


@references
def test_outcomes_evidence_and_published_events_are_those_there_are(reference):
    rows = reference.table_of("COMPLETED")
    published = {
        entry["DetailType"]
        for state in WORKFLOW["States"].values()
        for entry in state.get("Arguments", {}).get("Entries", [])
    }

    assert set(rows) == OUTCOMES
    assert set(reference.table_of("Order Completed")) == published
    assert set(reference.spans) >= EVIDENCE


@references
def test_every_error_has_its_row(reference):
    rows = reference.table_of("WeChatPayUnavailable")

    raised = {error.__name__ for error in SettlementError.__subclasses__()}
    assert set(rows) == raised | CATEGORIES
    assert all(all(cells) for cells in rows.values())


@references
def test_the_secrets_fields_are_those_that_are_read(reference):
    assert set(reference.table_of("merchant_serial_no")) == {rule.name for rule in SECRET}


@readmes
def test_the_picture_of_the_demo_shows_its_orders(readme):
    assert "docs/demo.svg" in readme.links
    lines = _lines_of(ROOT / "docs/demo.svg")
    shown = [
        (line.split()[0], f"{line} {below} ") for line, below in pairwise(lines) if line.startswith("SR")
    ]

    assert [number for number, _ in shown] == [sample.number for sample in samples()]
    for sample, (_, row) in zip(samples(), shown, strict=True):
        assert f" {sample.outcome} " in row
    assert all(any(line.startswith(sample.what) for line in lines) for sample in samples())


def _lines_of(picture):
    """The lines of a terminal that rich has drawn."""
    texts = re.findall(r'<text [^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', picture.read_text("utf-8"))
    rows = {}
    for x, y, text in texts:
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    return ["  ".join(text for _, text in sorted(row)).strip("\n") for _, row in sorted(rows.items())]


@readmes
def test_the_readme_has_at_most_150_lines(readme):
    assert len(readme.text.splitlines()) <= 150


@references
def test_every_make_command_has_its_row(reference):
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    rows = {span.split()[1] for span in reference.table_of("make setup") if span.startswith("make ")}

    assert rows == targets


# The pages whose shell blocks are run as they stand; a Chinese page has the commands of the English one.
RUN_BY_A_TEST = {"README", "docs/emit", "docs/operations", "docs/reference", "docs/simulator"}


@documents
def test_every_command_is_run_by_a_test_or_says_why_not(document):
    page = str(document.path.relative_to(ROOT)).removesuffix(".md").removesuffix(".zh-CN")
    not_marked = [b.text for b in document.blocks if b.language in ("sh", "bash", "console") and b.run]
    assert page in RUN_BY_A_TEST or not_marked == []


@pytest.mark.parametrize(
    "path", [*READMES, *REFERENCES, "CONTRIBUTING.md", "docs/operations.md", "docs/emit.md"]
)
def test_comments_of_commands_hold_nothing_that_a_shell_acts_on(path):
    comments = [each for text in Document(path).of("sh") for each in re.findall(r"(?:^|\s)#\s.*", text)]
    assert [each for each in comments if re.search(r"""['"`;()?*&|<>$!\[\]]""", each)] == []


def test_the_readme_puts_a_stack_up_and_takes_it_down():
    run = [*Document("README.md").to_run(), *Document("docs/reference.md").to_run()]
    down = next(block for block in run if block.startswith("make down "))
    assert run[0].startswith("make up ")
    assert run.count(down) == 1
    assert Document("README.md").text.count(down) == 1


def test_aws_commands_in_the_text_have_their_names_right():
    session = boto3.Session()._session
    commands = [shlex.split(span) for span in Document("docs/reference.md").spans if span.startswith("aws ")]
    assert commands
    for _, service, operation, *arguments in commands:
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        members = model.operation_model(names[operation]).input_shape.members
        known = {f"--{xform_name(member, '-')}" for member in members}
        assert {argument for argument in arguments if argument.startswith("--")} <= known


@documents
def test_every_block_that_is_not_run_says_why(document):
    marks = re.findall(r"^<!-- not run by tests/docs.*$", document.text, re.MULTILINE)
    assert [mark for mark in marks if not re.fullmatch(r"<!-- not run by tests/docs: .{10,} -->", mark)] == []


def test_the_arrows_drawn_are_the_imports_of_the_function():
    diagram = Document("docs/architecture.md").of("mermaid")[0]
    edges = re.findall(r"^\s+(\w+) --> ([\w &]+)$", diagram, re.MULTILINE)
    drawn = {(start, end) for start, ends in edges for end in ends.split(" & ")}
    graph = grimp.build_graph("complete_order", "invocation", "wechatpay", cache_dir=None)
    modules = {"complete_order.app"} | graph.find_upstream_modules("complete_order.app")
    imports = {
        (module.rpartition(".")[2], imported.rpartition(".")[2])
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
    }

    assert drawn == _without_what_a_longer_way_implies(imports)


def _without_what_a_longer_way_implies(edges):
    reached = set(edges)
    while longer := {(a, d) for a, b in reached for c, d in edges if b == c} - reached:
        reached |= longer
    return {(a, b) for a, b in edges if not any((a, c) in reached and (c, b) in reached for _, c in edges)}


def test_every_folder_of_tests_is_explained():
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").glob("*/**/test_*.py")}
    explained = set(re.findall(r"`tests/(\w+)`", Document("docs/testing.md").text))
    assert folders - explained == set()


def test_the_map_answers_twenty_questions_with_files_that_exist():
    rows = Document("CONTRIBUTING.md").table_with("What may be logged and counted?")

    assert len(rows) >= 20
    for question, files in rows:
        assert question.endswith("?")
        assert files
        for file in re.findall(r"`([^`]+)`", files):
            assert (ROOT / file).exists(), file
